"""Files by FTP: how fast they come in, how soon their lists are changed, and whom a large file keeps waiting."""
