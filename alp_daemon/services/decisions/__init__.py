"""What waits for a person: approvals, held files; and undo, with what each would do."""
