"""Automated list processing: a file dropped by FTP becomes a synchronised opt-in list."""

__version__ = "0.1.0"
