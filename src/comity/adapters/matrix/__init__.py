"""Matrix, live: three ways in, one normaliser, and what can be done in a room."""
