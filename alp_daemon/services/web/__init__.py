"""What only pages and the API ask for."""
