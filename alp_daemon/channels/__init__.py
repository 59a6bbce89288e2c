"""Ways in. A channel parses its protocol, calls one service, and formats the answer."""
