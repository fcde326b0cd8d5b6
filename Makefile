# One entry point for everything: `make demo`, `make test`, `make check`, `make bench`.
# PYTHON names the interpreter that the virtual environment is made with (3.11 or later).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# What is installed is compiled when it is first imported: compiling all of it takes two minutes.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

# The second start of a program finds its bytecode: the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help environment demo docs test test-fast test-milvus break check format bench bench-mining bench-ray bench-gpu bench-plagiarism bench-clustering bench-grading bench-languages bench-models bench-training bench-serve bench-pages bench-milvus bench-peers pictures clean

help:
	@echo "make demo         set up, index the demo corpus, run three queries"
	@echo "make test         set up, run the whole test suite"
	@echo "make test-fast    what runs in two minutes: no browser, crashes, Ray, notebooks, real model"
	@echo "make test-milvus  the tests that need a Milvus server, which it starts by itself (10 minutes)"
	@echo "make break        try to break it with random kills, damage, files, filters and requests (20 minutes;"
	@echo "                  SEED=N repeats, SECONDS=N limits it), and tests with other random examples"
	@echo "make docs         the documentation, docs/_build/html/index.html"
	@echo "make check        ruff, ruff format, mypy, import contracts"
	@echo "make environment  one installation for all of these, where several are wanted"
	@echo "make format       let ruff put the code into shape"
	@echo "make bench        the main figures of benchmarks/ (minutes)"
	@echo "make bench-mining bench-ray bench-plagiarism bench-clustering bench-grading   more; embeds 160,000 sentences once"
	@echo "make bench-gpu    embedding and mining on a GPU beside this machine's cores (needs CUDA)"
	@echo "make bench-languages  the multilingual model beside the default one; languages identified (minutes)"
	@echo "make bench-models what evaluate measures of the default model (a quarter of an hour)"
	@echo "make bench-training  what training gives, and how long it takes (an hour)"
	@echo "make bench-serve  load on the web application at 10,000 and a million answers (ten minutes)"
	@echo "make bench-pages  how soon each page is there, in a browser (minutes; needs chromium)"
	@echo "make bench-milvus  one corpus in a folder, in Milvus Lite and on a Milvus server (ten minutes)"
	@echo "make bench-peers  the same jobs with other tools, in environments of their own (8 minutes)"
	@echo "make pictures     the pictures in docs/images, taken again (needs chromium)"
	@echo "make clean        remove what the other targets made"

demo: $(VENV)/.ready
	@$(BIN)/searchkit demo

# Three on two cores, since tests of servers and browsers wait; and one thread, since torch's spin.
# Files are begun in the order that tests/conftest.py gives them.
IN_FILES := --dist loadfile --no-loadscope-reorder
test: $(VENV)/.ready-to-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 $(IN_FILES)

# Without the real model, crashes, Ray, browsers and notebooks.
test-fast: $(VENV)/.ready-to-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(IN_FILES) -m "not model and not crash and not slow"

# The server listens on all interfaces: it and the tests run in a network of their own (Linux).
test-milvus: $(VENV)/.ready-to-test $(VENV)-milvus/.ready
	OMP_NUM_THREADS=1 SEARCHKIT_MILVUS_PYTHON=$(abspath $(VENV)-milvus/bin/python) \
	  unshare -rn sh -c 'ip link set lo up && exec $(BIN)/python -m pytest tests/index/test_conformance.py tests/index/milvus'

# A run is repeated with `make break SEED=…`, which it prints.
SECONDS ?= 1200
break: $(VENV)/.ready-to-test
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m breaking $(SECONDS) $(if $(SEED),--seed $(SEED))
	HYPOTHESIS_PROFILE=others OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m hypothesis

# An environment of its own: the server's package needs an old setuptools.
$(VENV)-milvus/.ready: $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)-milvus
	$(VENV)-milvus/bin/python -m pip install --quiet --disable-pip-version-check 'milvus==2.3.5' 'setuptools<81' 'marshmallow<4'
	@touch $@

check: $(VENV)/.ready-to-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.ready-for-docs
	$(BIN)/python -m sphinx -q -W --keep-going -E docs docs/_build/html
	@echo "docs/_build/html/index.html"

format: $(VENV)/.ready-to-check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/bench.py

bench-mining: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_mining.py

bench-plagiarism: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_plagiarism.py

bench-clustering: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_clustering.py

bench-grading: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_grading.py
	$(BIN)/python benchmarks/bench_learning.py
	$(BIN)/python benchmarks/bench_plan.py
	$(BIN)/python benchmarks/bench_grading_page.py

bench-ray: $(VENV)/.ready-to-test
	$(BIN)/python benchmarks/bench_ray.py

bench-gpu: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_gpu.py

bench-languages: $(VENV)/.ready-to-test
	$(BIN)/python benchmarks/bench_languages.py

bench-models: $(VENV)/.ready
	$(BIN)/python benchmarks/bench_models.py

bench-training: $(VENV)/.ready-to-test
	$(BIN)/python benchmarks/bench_training.py

bench-serve: $(VENV)/.ready-to-test
	$(BIN)/python benchmarks/bench_serve.py

bench-pages: $(VENV)/.ready-to-test
	$(BIN)/python benchmarks/bench_pages.py --write

bench-milvus: $(VENV)/.ready-to-test $(VENV)-milvus/.ready
	SEARCHKIT_MILVUS_PYTHON=$(abspath $(VENV)-milvus/bin/python) \
	  unshare -rn sh -c 'ip link set lo up && exec $(BIN)/python benchmarks/bench_milvus.py'

bench-peers: $(VENV)/.ready
	PYTHON=$(PYTHON) $(BIN)/python benchmarks/peers.py

pictures: $(VENV)/.ready-to-test
	$(BIN)/python tests/pictures.py

clean:
	rm -rf $(VENV) $(VENV)-milvus docs/_build demo-index .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python: 
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("searchkit needs Python 3.11 or later; run: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# A stamp a set of dependencies: what has not changed is not installed again.
DECLARED := $(VENV)/bin/python pyproject.toml constraints.txt
$(VENV)/.ready: $(DECLARED)
	@echo "Installing searchkit into $(VENV) (once, a minute or two) …"
	$(PIP) --editable .
	@touch $@

$(VENV)/.ready-to-test: $(DECLARED)
	$(PIP) --editable '.[test]'
	@touch $(VENV)/.ready $@

$(VENV)/.ready-to-check: $(DECLARED)
	$(PIP) --editable '.[check]'
	@touch $(VENV)/.ready $@

$(VENV)/.ready-for-docs: $(DECLARED)
	$(PIP) --editable '.[docs]'
	@touch $(VENV)/.ready $@

# One installation for all targets: pip takes 20 seconds for each, also where little is missing.
environment: $(DECLARED)
	$(PIP) --editable '.[check,docs,test]'
	@touch $(VENV)/.ready $(VENV)/.ready-to-test $(VENV)/.ready-to-check $(VENV)/.ready-for-docs
