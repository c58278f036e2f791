"""One step a file, each after the one before it; a step, once released, is never changed."""
