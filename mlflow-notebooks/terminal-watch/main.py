"""Terminal watch: from landed transactions to each day's list of terminals to look into."""

# %% The job: its settings are the entry point's parameters
from branchline import start
from fraud_detection.steps import ingest, prepare, repair
from terminal_watch.pipeline import PIPELINE
from terminal_watch.steps import measure, watch

job = start(PIPELINE)

# %% 1. Landed files -> bronze.transactions; shared with fraud-training, each file once
job.run(ingest.step)

# %% 2. bronze -> silver.transactions; shared as well
job.run(prepare.step)

# %% 3. silver -> gold.watched_terminals: each day's list, with the evidence
job.run(watch.step)

# %% 4. What became of the terminals on the lists: KPIs, pictures and a report
job.run(measure.step)

# %% Only by hand, if a step says that the tables do not fit together
job.run(repair.step)

# %%
job.finish()
