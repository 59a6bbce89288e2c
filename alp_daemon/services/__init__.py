"""What the product does: a package for each concern, a verb a file. Transactions are opened here and nowhere else."""
