"""The API over HTTP: the same office, the same table of who may, and values instead of pages."""
