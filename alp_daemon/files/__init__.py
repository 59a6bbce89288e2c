"""Bytes to rows to addresses: the spool, the readers of every format, and the field map."""
