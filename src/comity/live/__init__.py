"""The process around the loop: health, metrics, log, signals, and the commands of a management room."""
