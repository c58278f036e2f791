"""Where things are kept. A store sees the core and nothing else; ``contract`` says what every store promises."""
