import importlib.util
import pathlib

import numpy as np
import pytest

from data_pipelines import prepare
from data_pipelines.sources import open_source
from tests.fer_tf.test_backends import run

WORKER = pathlib.Path(__file__).with_name("fit_worker.py")
PAPERS = pytest.param("papers", marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def npz_data(tmp_path_factory):
    """Every label, 96 px colour, some without: a copy of each epoch of a recipe."""
    output = str(tmp_path_factory.mktemp("prepared") / "npz")
    source = open_source("synthetic", "seed=2,examples=120")
    spec = prepare.crop_spec_for(source)
    prepare.prepare(source, output, crop_spec=spec, format="npz")
    return output


@pytest.fixture(scope="module")
def losses(tmp_path_factory, npz_data):
    directory, found = tmp_path_factory.mktemp("fits"), {}

    def get(backend, amount):
        if (backend, amount) not in found:
            path = directory / f"{backend}_{amount}.npz"
            run(backend, WORKER, path, npz_data, amount)
            found[backend, amount] = dict(np.load(path))
        return found[backend, amount]

    return get


@pytest.mark.parametrize("amount", ["tiny", PAPERS])
def test_the_first_losses_are_those_of_the_loop(amount, losses):
    found = losses("tensorflow", amount)
    names = [name for name in found if name.startswith("fit/")]
    assert len(names) == {"tiny": 4, "papers": 6}[amount]
    for name in names:
        assert len(found[name]) == 4 and len(set(found[name])) == 4
        expected = found[name.replace("fit/", "loop/")]
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("amount", ["tiny", PAPERS])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_without_tensorflow_the_losses_are_the_same(backend, amount, losses):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected, found = losses("tensorflow", amount), losses(backend, amount)
    assert set(found) == {name for name in expected if name.startswith("fit/")}
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-3, err_msg=name)
        np.testing.assert_allclose(value[0], expected[name][0], rtol=1e-4, err_msg=name)
