"""The project fraud-scoring: a registered model's scores of silver, and of a live topic."""
