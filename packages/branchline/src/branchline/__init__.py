"""What every project that goes from a branch to production needs; it knows nothing of fraud."""
