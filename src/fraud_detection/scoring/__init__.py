"""Scores live transactions without Spark: messages, features, a model's scores."""
