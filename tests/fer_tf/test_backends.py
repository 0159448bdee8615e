"""The library's numbers on JAX and PyTorch are those on TensorFlow."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

WORKER = pathlib.Path(__file__).with_name("backend_worker.py")
ROOT = pathlib.Path(__file__).parents[2]


def run(backend, *arguments):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": path,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        # Three quarters of the compilation, and the same numbers. Not level 0: JAX's
        # gradient of a maximum looks for `x == max`, which a value that XLA computes
        # twice without optimising fails: 0 / 0.
        "XLA_FLAGS": "--xla_backend_optimization_level=1"
        " --xla_llvm_disable_expensive_passes=true",
    }
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """Runs a worker where its numbers are first asked for."""
    directory, found = tmp_path_factory.mktemp("backends"), {}

    def get(backend, amount):
        if (backend, amount) not in found:
            path = directory / f"{backend}_{amount}.npz"
            run(backend, WORKER, path, amount)
            found[backend, amount] = dict(np.load(path))
        return found[backend, amount]

    return get


@pytest.mark.parametrize(
    "amount",
    [
        pytest.param("quick", marks=pytest.mark.slow),
        pytest.param("all", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_equals_tensorflow(backend, amount, values):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected, got = values("tensorflow", amount), values(backend, amount)
    assert set(got) == set(expected)
    assert {n.split("/")[0] for n in got} == {"loss", "optimizer", "train", "model"}
    for name, value in expected.items():
        tolerance = 1e-5 if name.startswith(("loss", "optimizer")) else 1e-4
        scale = max(1.0, np.abs(value).max())
        assert np.isfinite(value).all(), name
        np.testing.assert_allclose(
            got[name], value, rtol=0, atol=tolerance * scale, err_msg=name
        )


def test_importing_the_package_needs_no_backend():
    blocked = "('keras', 'tensorflow', 'jax', 'torch')"
    run(
        "jax",
        "-c",
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "import fer_tf, fer_tf.labels\nassert 'create_model' in dir(fer_tf)",
    )
