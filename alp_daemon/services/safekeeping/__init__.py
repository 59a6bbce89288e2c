"""The database as a whole: kept, copied, compared with its history; and what is erased in time."""
