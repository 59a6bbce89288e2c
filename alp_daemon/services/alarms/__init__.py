"""Files that did not come."""
