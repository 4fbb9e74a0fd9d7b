"""Fraud training: from landed transactions to a logged, evaluated model, step by step."""

# %% The job: its settings are the entry point's parameters
from branchline.steps import start
from fraud_detection.settings import Settings
from fraud_detection.steps import (compare, evaluate, explore, featurize, ingest, monitor, predict,
                                   prepare, train)

job = start(Settings.from_arguments)

# %% 1. Landed files -> bronze.transactions, as they are, each file once
job.run(ingest)

# %% 2. bronze -> silver.transactions: typed, valid, one row a transaction; the rest in quarantine
job.run(prepare)

# %% 3. Pictures and a report of the data
job.run(explore)

# %% 4. silver -> gold.features: what was known of card and terminal at the time
job.run(featurize)

# %% 5. gold.features of the training days -> a logged model
job.run(train)

# %% 6. The model against the test days
job.run(evaluate)

# %% 7. gold.features of the test days -> gold.scores
job.run(predict)

# %% 8. How far the test days moved from the training days
job.run(monitor)

# %% For the gate alone: the model and a champion on the same test rows
job.run(compare)

# %%
job.finish()
