"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import importlib.util
import pkgutil

import keras
import numpy as np
import pytest

PACKAGES = ("fer_tf", "data_pipelines", "trainers")
# Packages whose every public name has an example.
WITH_EXAMPLES = ("fer_tf.layers", "fer_tf.losses", "fer_tf.optimizers")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules_with_examples():
    """Names of the modules whose text has an example; none is imported for it."""
    for package in PACKAGES:
        origin = importlib.util.find_spec(package).submodule_search_locations
        names = [m.name for m in pkgutil.walk_packages(origin, f"{package}.")]
        for name in (package, *names):
            with open(importlib.util.find_spec(name).origin, encoding="utf-8") as file:
                if ">>> " in file.read():
                    yield name


def import_or_skip(name):
    """The module; the test is skipped where an extra that it needs is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in (*PACKAGES, ""):
            raise
        pytest.skip(f"{name} needs {error.name}, which is not installed")


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_the_examples_of_a_module(name, tmp_path, monkeypatch):
    module = import_or_skip(name)
    known = {"keras": keras, "np": np}
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    said = []
    for example in doctest.DocTestFinder().find(module, extraglobs=known):
        keras.utils.set_random_seed(0)
        runner.run(example, out=said.append)
    assert runner.tries > 0, "its examples are in no docstring of a public name"
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize("package", WITH_EXAMPLES)
def test_every_public_name_has_an_example(package):
    module = importlib.import_module(package)
    without = [n for n in module.__all__ if ">>> " not in getattr(module, n).__doc__]
    assert not without
