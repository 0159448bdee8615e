import time

import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from data_pipelines.storage.prepared import open_prepared
from fer_tf import labels
from tests import source_trees, testing_utils
from trainers.training import build
from trainers.training.workdir import Workdir, _Clock


def test_a_model_is_named_by_its_data(tmp_path):
    dataset, _, _ = source_trees.affwild2(str(tmp_path / "in"), None)
    source = open_source(dataset, str(tmp_path / "in"), classes=8)
    output, spec = str(tmp_path / "out"), source.crop_spec()
    prepare.prepare(source, output, crop_spec=spec, detector="none")
    prepared, config = open_prepared(output), testing_utils.tiny_config()
    workdir = Workdir(
        str(tmp_path / "run"), config, prepared, spec=build.crop_spec(config, prepared)
    )
    # The tree has two action units, and "Other" in the place of contempt.
    assert workdir.card.action_units == ("AU1", "AU2")
    assert workdir.card.expressions == (*labels.EXPRESSIONS[:7], "other")


def test_the_clock_sums_the_parts_of_a_run_over_its_sessions(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: 2 * now[0])

    def pass_time(seconds):
        now[0] += seconds

    path = str(tmp_path / "timing.json")
    clock = _Clock(path)
    pass_time(5)
    with clock.part("data"):
        pass_time(0.5)
    with pytest.raises(KeyboardInterrupt), clock.part("evaluation"):
        pass_time(3)
        raise KeyboardInterrupt  # What was spent counts all the same.
    clock.write()
    again = _Clock(path)
    with again.part("data"):
        pass_time(0.5)
    assert again.write() == {
        "seconds": 9.0, "cpu_seconds": 18.0,
        "data_seconds": 1.0, "evaluation_seconds": 3.0, "checkpoint_seconds": 0.0,
    }  # fmt: skip
