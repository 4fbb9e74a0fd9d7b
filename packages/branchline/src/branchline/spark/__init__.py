"""The Spark session, its jars and its Python workers."""
