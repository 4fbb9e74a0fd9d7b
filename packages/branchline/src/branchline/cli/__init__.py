"""The commands: one module each; branchline COMMAND and mlflow-triggers/COMMAND.py are the same."""
