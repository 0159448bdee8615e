"""Several hosts, as processes of one machine: they train as one, and survive one's
death."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.long


def cluster(count):
    """`TF_CONFIG` of each worker, on ports that are free."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    hosts = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    for index in range(count):
        task = {"type": "worker", "index": index}
        yield json.dumps({"cluster": {"worker": hosts}, "task": task})


def begin(data, workdir, *flags, tf_config="{}"):
    return subprocess.Popen(
        [sys.executable, "-m", "trainers.train",
         "--config=tests/trainers/small_config.py", f"--data={data}",
         f"--workdir={workdir}", *flags],
        env={**os.environ, "TF_CONFIG": tf_config, "TF_NUM_INTRAOP_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(*processes):
    for process in processes:
        _, said = process.communicate(timeout=400)
        assert process.returncode == 0, said
    return said


def weights(workdir):
    reader = tf.train.load_checkpoint(
        tf.train.latest_checkpoint(str(workdir / "checkpoints"))
    )
    names = reader.get_variable_to_shape_map()
    return {n: reader.get_tensor(n) for n in names if "OBJECT_GRAPH" not in n}


def log(workdir):
    with open(workdir / "metrics.csv") as file:
        return list(csv.DictReader(file))


def wait_for_step(workdir, step):
    for _ in range(2000):
        found = (workdir / "checkpoints").glob("ckpt-*.index")
        if any(int(path.stem.split("-")[1]) >= step for path in found):
            return
        time.sleep(0.1)
    raise AssertionError(f"step {step} did not come")


@pytest.fixture
def workers():
    """Begins workers, and leaves none behind."""
    begun = []

    def start(*args, **kwargs):
        begun.append(begin(*args, **kwargs))
        return begun[-1]

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()


def test_two_workers_train_as_one(synthetic_data, tmp_path, workers):
    no_dropout = "--config.model.arguments.dropout_rate=0.0"
    alone = workers(synthetic_data, tmp_path / "one", no_dropout)
    end(alone)
    both = [
        workers(synthetic_data, tmp_path / "two", no_dropout, tf_config=tf_config)
        for tf_config in cluster(2)
    ]
    end(*both)
    one, two = log(tmp_path / "one"), log(tmp_path / "two")
    # Rounding grows with the steps: batch normalisation of few pictures.
    for row, tolerance in ((0, 1e-5), (1, 1e-3)):
        np.testing.assert_allclose(
            float(one[row]["loss"]), float(two[row]["loss"]), rtol=tolerance
        )


def test_a_killed_worker_comes_back_into_the_run(synthetic_data, tmp_path, workers):
    longer = "--config.stages[0].epochs=6"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    end(*[workers(synthetic_data, whole, longer, tf_config=c) for c in cluster(2)])

    configs = list(cluster(2))
    chief, other = [
        workers(synthetic_data, killed, longer, tf_config=c) for c in configs
    ]
    wait_for_step(killed, 12)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    # The chief has no new command: it waits by itself for the other one's.
    other = workers(synthetic_data, killed, longer, tf_config=configs[1])
    assert "a worker was lost" in end(other, chief)
    a, b = weights(whole), weights(killed)
    assert a.keys() == b.keys()
    different = [name for name in a if not np.array_equal(a[name], b[name])]
    assert not different, different
    assert log(killed) == log(whole)


def test_all_workers_stop_when_the_loss_is_not_finite(
    synthetic_data, tmp_path, workers
):
    flags = ("--config.stages[0].learning_rate=1e30",)
    both = [workers(synthetic_data, tmp_path, *flags, tf_config=c) for c in cluster(2)]
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 1
        assert "not finite at step" in said.splitlines()[-1]
