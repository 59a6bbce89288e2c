"""The process that systemd keeps running: its roles, its loops, its workers."""
