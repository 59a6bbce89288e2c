"""What operators look at, and the nodes of an installation."""
