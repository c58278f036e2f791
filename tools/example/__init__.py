"""An example chat platform: rooms in memory, the part of Matrix that Comity speaks, and pages for whoever visits."""
