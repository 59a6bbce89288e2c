"""The spool in shared storage: a bucket of a real server that speaks the S3 protocol, and a shared folder."""
