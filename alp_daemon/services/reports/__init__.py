"""What people are told of an upload, and of what they have to decide: reports, mails."""
