"""The operators' console: what the command line does and shows, for a browser. It needs no JavaScript."""
