"""Where runs happen: one contract, implemented for this machine and for a Databricks workspace."""
