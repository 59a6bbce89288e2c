"""Single addresses and whole lists, changed and read without a file of the customer: commands, messages, history."""
