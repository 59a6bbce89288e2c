"""BulkUpload requests from end to end, and the table from the format's sentences to the tests that hold them."""
