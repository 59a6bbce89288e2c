"""Files by FTP and FTPS: a virtual folder for each customer in front of the intake, on pyftpdlib's I/O loop."""

from alp_daemon.channels.ftp.server import FtpServer

__all__ = ["FtpServer"]
