import os
import subprocess
import sys

import pytest

from fer_tf.utils import stderr

NOTICES = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written\n"
    b"I0000 00:00:1796093396.632874   19581 cudart_stub.cc:31] Could not find cuda\n"
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild\n"
)
OTHERS = b"E0000 00:00:1796093421.2 19581 cuda_platform.cc:52] failed\nUserWarning: x\n"


@pytest.fixture
def before_tensorflow(monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)


def test_the_start_hides_notices_and_nothing_else(before_tensorflow, capfd):
    with stderr.quiet_start():
        os.write(2, NOTICES + OTHERS)
    assert capfd.readouterr().err == OTHERS.decode()
    with pytest.raises(KeyError), stderr.quiet_start():
        os.write(2, NOTICES + OTHERS)
        raise KeyError
    assert capfd.readouterr().err == OTHERS.decode()


def test_who_sets_tensorflows_level_sees_the_notices(
    before_tensorflow, monkeypatch, capfd
):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with stderr.quiet_start():
        os.write(2, NOTICES)
    assert capfd.readouterr().err == NOTICES.decode()


def test_quiet_stderr_shows_all_of_it_on_an_error_where_asked_to(capfd):
    for shown in (False, True):
        with pytest.raises(KeyError), stderr.quiet_stderr(shown_on_error=shown):
            os.write(2, OTHERS)
            raise KeyError
        assert capfd.readouterr().err == (OTHERS.decode() if shown else "")
    with stderr.quiet_imports():
        os.write(2, OTHERS)
    assert not capfd.readouterr().err


@pytest.mark.slow
def test_plain_python_prints_no_wall_of_warnings():
    """At most that no GPU could be started, which TensorFlow calls an error."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    lines = "import fer_tf, numpy as np; reader = fer_tf.Predictor()\n"
    lines += "print(reader.predict(np.zeros((60, 80, 3), np.uint8)))"
    ran = subprocess.run(
        [sys.executable, "-c", lines], env=environment, capture_output=True, text=True
    )
    assert ran.stdout == "[]\n", ran.stderr
    assert len(ran.stderr.splitlines()) <= 1, ran.stderr
