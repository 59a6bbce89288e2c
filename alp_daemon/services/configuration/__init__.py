"""Customers' files, as they are read again and handed from node to node."""
