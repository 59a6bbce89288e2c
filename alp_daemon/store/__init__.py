"""Everything SQL. Reads a list's state into arrays, writes a Plan, and keeps the queue."""
