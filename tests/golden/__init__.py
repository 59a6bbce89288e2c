"""The cases of ``samples/`` through the command line and through FTP."""
