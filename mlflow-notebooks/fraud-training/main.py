"""Fraud training: from landed transactions to a logged, evaluated model, step by step."""

# %% The job: its settings are the entry point's parameters
from branchline import start
from fraud_detection.pipeline import PIPELINE
from fraud_detection.steps import (backfill, compare, evaluate, explore, featurize, ingest, monitor,
                                   parity, predict, prepare, reject, repair, ship, train)

job = start(PIPELINE)

# %% 1. Landed files -> bronze.transactions, as they are, each file once
job.run(ingest.step)

# %% 2. bronze -> silver.transactions: typed, valid, one row per transaction; the rest in quarantine
job.run(prepare.step)

# %% 3. Pictures and a report of the data
job.run(explore.step)

# %% 4. silver -> gold.features: what was known about card and terminal at the time
job.run(featurize.step)

# %% 5. gold.features of the training days -> a logged model
job.run(train.step)

# %% 6. The model against the test days
job.run(evaluate.step)

# %% 7. gold.features of the test days -> gold.scores
job.run(predict.step)

# %% 8. How far the test days moved from the training days
job.run(monitor.step)

# %% Only for the gate: the model and a champion on the same test rows
job.run(compare.step)

# %% Only by hand, if a step says that the tables do not fit together
job.run(repair.step)

# %% Only by hand: rows of silver.transactions that should not be there -> silver.quarantine
job.run(reject.step)

# %% Only by `branchline backfill`: silver -> the online store
job.run(backfill.step)

# %% Only by hand or on a schedule: files of the inference log -> gold.inference_log
job.run(ship.step)

# %% Only by `branchline parity`: what stream and service logged against batch
job.run(parity.step)

# %%
job.finish()
