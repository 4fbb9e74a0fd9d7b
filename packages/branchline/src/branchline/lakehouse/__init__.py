"""Delta tables in a folder or a catalog."""
