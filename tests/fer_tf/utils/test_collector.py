import gc
import subprocess
import sys

import pytest

from fer_tf.utils import collector


@pytest.fixture(autouse=True)
def as_before():
    enabled = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if enabled else gc.disable)()


@pytest.mark.parametrize("context", [collector.paused, collector.keeping])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_off_within_and_as_before_behind(context, enabled):
    (gc.enable if enabled else gc.disable)()
    with context():
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
    with pytest.raises(KeyError), context():
        raise KeyError
    assert gc.isenabled() == enabled


def test_what_is_made_within_is_kept_only_where_asked_to():
    before = gc.get_freeze_count()
    with collector.paused():
        paused = [[] for _ in range(10_000)]
    assert gc.get_freeze_count() == before
    with collector.keeping():
        kept = [[] for _ in range(10_000)]
    # The 10,000 of before are there too.
    assert gc.get_freeze_count() >= before + len(paused) + len(kept)


def child(lines):
    ran = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_a_command_looks_for_no_garbage_when_it_ends():
    """What was registered first is called last."""
    lines = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\n"
        "from trainers.common import cli\n"
        "cli.run(lambda: print(gc.get_freeze_count()))"
    )
    assert child(lines) == ["0", "True"]


@pytest.mark.slow
def test_tensorflow_is_imported_without_a_full_collection():
    lines = (
        "import gc, sys, fer_tf\n"
        "full = []\n"
        "gc.callbacks.append(lambda _, info: full.append(info['generation'] == 2))\n"
        "fer_tf.Predictor\n"
        "print(sum(full), 'tensorflow' in sys.modules, gc.isenabled())"
    )
    assert child(lines) == ["0", "True", "True"]
