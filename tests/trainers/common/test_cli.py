"""Streams that are closed or full: one line where it can be read, and an exit code."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from trainers.common import cli

VERIFY = "-m trainers.verify --dataset=synthetic --source=seed=1,examples=20"
FULL = "trainers.verify: standard output: No space left on device\n"


def shell(arguments, redirected, **environment):
    return subprocess.run(
        f"{sys.executable} {arguments} {redirected}", shell=True,
        capture_output=True, text=True, timeout=120, env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [VERIFY, "-m trainers.verify --help"])
def test_a_full_output_is_one_line(arguments, unbuffered):
    result = shell(arguments, ">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (result.returncode, result.stderr) == (1, FULL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "redirected", "code", "said"),
    [
        (VERIFY, "2>&-", 0, "nothing found"),
        (VERIFY, "<&-", 0, "nothing found"),
        (VERIFY, ">&- 2>&-", 0, ""),
        ("-m trainers.verify --dataset=nothing", "2>&-", 2, ""),
        ("-m trainers.verify --dataset=fer2013 --source=/absent", "2>&-", 1, ""),
    ],
)
def test_closed_streams_lead_nowhere(arguments, redirected, code, said):
    result = shell(arguments, redirected)
    assert result.returncode == code and said in result.stdout
    assert "Traceback" not in result.stderr


def test_a_complaint_has_an_end():
    """A card's number can have a million digits, and stands in the message."""
    said = "from trainers.common import cli; cli.fail('a.json: ' + '9' * 10**6)"
    result = shell(f'-c "{said}"', "")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "a.json: 999" in result.stderr and len(result.stderr) < 5_100


def test_a_picture_that_breaks_while_batches_are_made_is_said_plainly():
    damaged = tf.data.Dataset.from_tensors(b"\x89PNG\r\n\x1a\nxxxx")
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        next(iter(damaged.map(tf.io.decode_png, num_parallel_calls=2).prefetch(1)))
    line = cli._one_line(error.value)
    assert line.startswith("a picture of the data is damaged (Invalid PNG")
    assert line.endswith("trainers.verify --data=DIR says which")
