# make demo: train on the embedded data, evaluate, export, predict a photograph
# make test: the tests that take minutes; make test-slow: the rest, as CI runs them
# make test-page: the web page's tests, with Gradio
# make docs: the site of the pages and of every module, in build/site
# Each makes its own environment in .venv first. `make demo PYTHON=python3.12` picks
# another interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/demo

.PHONY: demo test test-slow test-page test-backends docs lint clean

demo: $(VENV)/demo.installed
	$(BIN)/python -m trainers.demo --output=$(DEMO)

# By files on several cores: a file's tests share models and data.
test: $(VENV)/dev.installed
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

test-slow: $(VENV)/dev.installed
	$(BIN)/python -m pytest --run-slow -m slow --numprocesses=logical \
		--maxprocesses=4 --dist=loadfile

# The page's tests, in an environment of their own: Gradio holds Pillow below 13,
# on which the others run.
test-page:
	$(MAKE) VENV=$(VENV)-page $(VENV)-page/dev,web.installed
	$(VENV)-page/bin/python -m pytest --run-slow tests/trainers/web_page

# The numbers of TensorFlow, JAX and PyTorch side by side (a large download).
test-backends: $(VENV)/dev.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch
	$(BIN)/python -m pytest --run-slow tests/fer_tf/test_backends.py

docs: $(VENV)/docs.installed
	$(BIN)/mkdocs build --strict

lint: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(VENV)/%.installed: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-page runs build dist *.egg-info
