import shutil

import numpy as np
import pytest
import tensorflow as tf

from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from tests.testing_utils import paper_config
from tests.trainers.training.small_runs import (
    Stopped,
    assemble,
    assemble_and_check,
    first_is_best,
    note_steps,
    stop_at,
    variables,
)
from trainers.training import checkpoints


def assert_same(a, b):
    assert a.keys() == b.keys()
    different = [name for name in a if not np.array_equal(a[name], b[name])]
    assert not different, different


@pytest.mark.slow
@pytest.mark.parametrize(
    "stop, kind, begin",
    [(1, "finished", 0), (8, "finished", 7), (4, "averaged", 3), (7, "averaged", 7),
     (12, "averaged", 10), (17, "dropping", 15), (8, "weighted", 7)],
)  # fmt: skip
def test_a_run_stopped_anywhere_ends_like_one_that_was_not(
    stop, kind, begin, request, synthetic_data, tmp_path
):
    """Epochs are 7 steps; checkpoints follow every third step of a stage, and epochs.

    Stopped at 1, there is none yet: two whole runs, in which no clock has a part.
    """
    whole, path = request.getfixturevalue(kind)

    def another():
        run = assemble_and_check(whole.config, synthetic_data, tmp_path)
        return first_is_best(run) if kind == "weighted" else run

    stopped = another()
    stop_at(stopped, stop)
    with pytest.raises(Stopped):
        stopped.train()
    again = another()
    numbers = note_steps(again)
    again.train()
    assert numbers[0] == begin
    assert_same(variables(again), variables(whole))
    for protocol in ("clean", "paper"):
        kept, expected = (
            model_folder.load(str(folder / "best" / protocol))
            for folder in (tmp_path, path)
        )
        cards = [
            read_card(str(folder / "best" / protocol)) for folder in (tmp_path, path)
        ]
        assert cards[0]["step"] == cards[1]["step"]
        for a, b in zip(kept.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    log = (tmp_path / "metrics.csv").read_bytes()
    assert log == (path / "metrics.csv").read_bytes()


def test_a_second_run_in_one_workdir_is_refused(finished, synthetic_data):
    run, path = finished
    times = lambda: {
        p: p.stat().st_mtime_ns for p in path.rglob("*") if p.name != ".lock"
    }
    with run.workdir.opened():
        before = times()
        with pytest.raises(OSError, match="another process is at work here"):
            assemble_and_check(run.config, synthetic_data, path).train()
        assert times() == before


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    finished, synthetic_data, tmp_path, capsys
):
    whole, path = finished
    shutil.copytree(path, tmp_path / "run")
    newest = tf.train.latest_checkpoint(str(tmp_path / "run" / "checkpoints"))
    newest = str(tmp_path / "run" / "checkpoints" / newest.rsplit("/", 1)[-1])
    data = open(f"{newest}.data-00000-of-00001", "rb").read()
    open(f"{newest}.data-00000-of-00001", "wb").write(data[: len(data) // 2])
    again = assemble_and_check(paper_config(), synthetic_data, tmp_path / "run")
    numbers = note_steps(again)
    again.train()
    assert numbers == [12, 13]  # That of step 14 is damaged, the one before is of 12.
    assert "is damaged" in capsys.readouterr().out
    assert_same(variables(again), variables(whole))


@pytest.mark.parametrize("gone", ["best", "best/clean", "best/paper/model.json"])
def test_best_weights_that_are_gone_are_one_line_and_what_goes_on_says_where(
    gone, finished, synthetic_data, tmp_path, capsys
):
    _, path = finished
    shutil.copytree(path, tmp_path / "run")
    again = assemble_and_check(paper_config(), synthetic_data, tmp_path / "run")
    again.train()
    assert capsys.readouterr().out == "resumed at step 14 of 14\n"
    lost = tmp_path / "run" / gone
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with pytest.raises(ValueError, match="best weights so far were here") as error:
        again.train()
    folder = "best/paper" if "paper" in gone else "best/clean"
    assert str(error.value).startswith(f"{tmp_path / 'run' / folder}: ")


@pytest.mark.slow
def test_minutes_of_training_are_saved_whatever_the_steps(synthetic_data, tmp_path):
    class Noting(checkpoints.Checkpoints):
        saved = []

        def save(self, parts, number):
            self.saved.append(number)
            super().save(parts, number)

    config = paper_config(checkpoint_steps=100)
    run = assemble(config, synthetic_data, tmp_path, checkpoint_seconds=0)
    run.checkpoints = Noting(run.workdir.checkpoints)
    run.train()
    assert run.checkpoints.saved == list(range(1, int(run.state.step) + 1))


def test_a_killed_exports_folder_does_not_stop_a_run(synthetic_data, tmp_path):
    run = assemble_and_check(paper_config(), synthetic_data, tmp_path / "run")
    with run.workdir.opened():
        pass
    left = tmp_path / "run" / ".part-export"
    left.mkdir()
    (tmp_path / "run" / ".part-file").write_text("")
    with run.workdir.opened():
        assert left.is_dir() and not (tmp_path / "run" / ".part-file").exists()


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(batch_size=8), r"batch_size was 16, now 8"),
        (dict(seed=3), "seed was 0"),
        (
            dict(objective=dict(label_smoothing=0.5)),
            "objective.label_smoothing was 0.0",
        ),
    ],
)
def test_a_workdir_of_another_config_is_refused(
    change, message, finished, synthetic_data
):
    _, path = finished
    with pytest.raises(ValueError, match=message):
        assemble_and_check(paper_config(**change), synthetic_data, path).train()
