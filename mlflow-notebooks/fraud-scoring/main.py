"""Fraud scoring: a registered model's scores, of silver in batch or of a topic as it comes."""

# %% The job: its settings are the entry point's parameters
from branchline import start
from fraud_detection.live import batch, stream
from fraud_detection.live.pipeline import PIPELINE

job = start(PIPELINE)

# %% silver -> gold.scores
job.run(batch.step)

# %% Only by `-e stream`: a topic -> the topic of scores at once, and gold.scores
job.run(stream.step)

# %%
job.finish()
