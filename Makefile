PYTHON := .venv/bin/python
READY := .venv/.ready

RATE ?= 1000
SECONDS ?= 35
SERVICES := packages/branchline/tests/deploy/test_services.py

.PHONY: demo kills stream test coverage test-fast test-runtime test-image story lint style wheel ui workspace service image bench setup clean

setup: $(READY)

$(READY): pyproject.toml $(wildcard packages/*/pyproject.toml) uv.lock bootstrap.py
	@python3 bootstrap.py

demo: $(READY)
	@$(PYTHON) -m fraud_detection.data.simulator .local/demo && $(PYTHON) mlflow-triggers/run.py fraud-training --on local -P data=.local/demo -P train_days=28

kills: $(READY)
	@$(PYTHON) -m benchmarks kills

stream: $(READY)
	@$(PYTHON) -m fraud_detection.demo --rate $(RATE) --seconds $(SECONDS)

test: lint
	@$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

coverage: $(READY)
	@$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

test-fast: $(READY)
	@$(PYTHON) -m pytest -m "not spark and not slow" -n 2

story: lint
	@BRANCHLINE_TEST_STORY=1 $(PYTHON) -m pytest tests/test_story.py tests/test_gate_pipeline.py tests/test_story_tables.py $(SERVICES) -k "reaches_production or sooner_passes or test_story_tables or goes_to_production or withdrawn or promoted or digest_before" -s

test-runtime: $(READY)
	@$(PYTHON) -m support.runtime_environment $(RUNTIME)

# Side by side, since each of the three uses one core.
lint: $(READY)
	@$(MAKE) --no-print-directory -j3 style types-3.11 types-3.12

style:
	@$(PYTHON) -m flake8 -j 1

types-%:
	@$(PYTHON) -m mypy --no-error-summary --python-version $*

wheel: $(READY)
	@$(PYTHON) -m branchline.cli.main wheel

ui: $(READY)
	@$(PYTHON) -m branchline.runs.ui $(PORT)

workspace: $(READY)
	@$(PYTHON) -m workspace_server

service: $(READY)
	@$(PYTHON) -m branchline.cli.main serve fraud-training --model $(or $(MODEL),newest) --store $(or $(STORE),.local/online.db)

test-image: $(READY)
	@BRANCHLINE_TEST_IMAGE=1 $(PYTHON) -m pytest -n 0 tests/test_image.py -s

image: $(READY)
	@$(PYTHON) -m branchline.cli.main image fraud-training --model $(or $(MODEL),newest)

bench: $(READY)
	@$(PYTHON) -m benchmarks

clean:
	@rm -rf .local dist
