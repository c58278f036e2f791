"""Values and functions in the order of the line: event, finding, entry, standing, right. No effects."""
