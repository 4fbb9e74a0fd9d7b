"""Fraud monitoring: what was scored, window by window, against the model's training and labels."""

# %% The job: its settings are the entry point's parameters
from branchline import start
from fraud_detection.monitoring import watch
from fraud_detection.monitoring.pipeline import PIPELINE

job = start(PIPELINE)

# %% gold.inference_log -> gold.monitoring_measures and the profile tables
job.run(watch.step)

# %%
job.finish()
