"""The service as a user starts it: a process, a port, and its end."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.testing_utils import assert_one_line
from tests.testing_utils import run_command as run
from trainers.common import sample_photograph

for name in ("starlette", "uvicorn", "python_multipart", "onnxruntime"):
    pytest.importorskip(name, reason="needs the extra `serve`")

# Runs the command where neither TensorFlow nor Keras can be imported.
_LIGHT = """
import runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "mtcnn", "scipy", "h5py"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
sys.argv[0] = "serve"
runpy.run_module("trainers.serve", run_name="__main__", alter_sys=True)
"""


@contextlib.contextmanager
def served(chain, *flags):
    process = subprocess.Popen(
        [sys.executable, "-c", _LIGHT, f"--chain={chain}", "--port=0", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:"), process.stderr.read()
        yield process, line.split()[1].rstrip(",")
    finally:
        process.kill()
        process.wait()


def asked(request):
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_it_serves_without_tensorflow_until_a_signal(exported_chain, tmp_path):
    pytest.importorskip("skimage")
    from fer_tf.chain import Reader

    folder, facts, _ = exported_chain
    photo = sample_photograph.write_astronaut(str(tmp_path))
    with served(folder) as (process, address):
        assert asked(f"{address}/health")["model"] == facts["model"]
        with open(photo, "rb") as file:
            found = asked(urllib.request.Request(f"{address}/faces", file.read()))
        assert found["faces"] == Reader(folder).predict(photo)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_bad_arguments_are_one_line(tmp_path):
    assert_one_line(run("serve"), 2, "--chain is needed")
    assert_one_line(run("serve", f"--chain={tmp_path}", "--port=0"), 1, "no chain.json")
    assert_one_line(run("serve", "--chain=x", "--waiting=-1"), 2, "waiting")
    assert_one_line(run("serve", "--chain=x", "--host="), 1, "--host is empty")
