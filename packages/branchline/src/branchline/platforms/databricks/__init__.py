"""The one seam to Databricks: MLflow projects on the Jobs API, files, runtimes."""
