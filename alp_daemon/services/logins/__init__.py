"""Who may come in: log-ins and tokens, the lockout, sessions of browsers."""
