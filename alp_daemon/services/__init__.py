"""What the product does, a verb a file. Transactions are opened here and nowhere else."""
