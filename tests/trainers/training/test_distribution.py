"""Several replicas train as one: in processes of their own, since devices are set
before TensorFlow begins."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.testing_utils import tiny_config
from trainers.common.cli import UsageError
from trainers.training import distribution


def replicas(*cases):
    result = subprocess.run(
        [sys.executable, "-m", "tests.trainers.replica_worker", *cases],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def assert_equal_runs(found):
    one, two = found["one"], found["two"]
    for a, b in zip(one["losses"], two["losses"], strict=True):
        assert a.keys() == b.keys()
        np.testing.assert_allclose(list(a.values()), list(b.values()), rtol=1e-5)
    for a, b in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_devices_give_the_losses_and_weights_of_one():
    # CCC and means over valid rows, which are not those of halves; a limit on the
    # norm of the whole gradient; and, without it, what batch statistics of halves do.
    found = replicas("uncertainty", "clipped", "not_synchronized")
    first, second = found.pop("seeds")
    assert first == [7, 0] and second != first  # Dropout masks of their own.
    halves = found.pop("not_synchronized")
    for run in found.values():
        assert_equal_runs(run)
    assert (
        abs(halves["one"]["losses"][1]["loss"] - halves["two"]["losses"][1]["loss"])
        > 1e-4
    )
    assert halves["one"]["losses"][1] != found["clipped"]["one"]["losses"][1]


@pytest.mark.long
@pytest.mark.parametrize(
    "case", ["adam", "rmsprop", "clipped_values", "micro_batches", "loss_scale"]
)
def test_two_devices_give_those_of_one_with_every_option(case):
    assert_equal_runs(replicas(case)[case])


@pytest.mark.parametrize(
    "changes, tf_config, message",
    [
        (dict(strategy="two"), "", "auto, one, mirrored, multi_worker"),
        (dict(strategy="multi_worker"), "", "TF_CONFIG"),
        (dict(), "[1]", "not a JSON object"),
        (dict(micro_batches=3), "", "16 cannot be shared out evenly"),
        (dict(micro_batches=0), "", "at least 1"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(changes, tf_config, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config or "{}")
    with pytest.raises(UsageError, match=message):
        distribution.make_strategy(tiny_config(**changes))
