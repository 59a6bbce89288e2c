"""What the words mean. Pure: no I/O, no clock, no SQL; everything here is tested without a fixture."""
