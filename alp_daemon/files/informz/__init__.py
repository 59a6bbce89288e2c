"""Informz BulkUpload: an XML document whose one long text is a list of e-mail subscribers."""
