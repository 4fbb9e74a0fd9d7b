"""What scores live transactions, without Spark: messages, features, a model's scores."""
