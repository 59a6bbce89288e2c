"""The web side: the ManageOptin API, the pages, and what monitoring asks for."""

from alp_daemon.channels.web.server import WebServer

__all__ = ["WebServer"]
