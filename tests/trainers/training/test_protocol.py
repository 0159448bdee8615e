import json

import numpy as np
import pytest

from tests.testing_utils import paper_config, tiny_config
from tests.trainers.training.small_runs import FakeSelector, assemble
from trainers.common.cli import UsageError
from trainers.training import report


@pytest.mark.slow
# After a kill the repeated epoch may beat one protocol's best and not the other's.
@pytest.mark.parametrize("same, step", [(True, 2), (False, 4), (False, 2)])
def test_weights_that_both_protocols_chose_are_measured_once(
    same, step, synthetic_data, tmp_path, monkeypatch
):
    run = assemble(tiny_config(), synthetic_data, tmp_path)
    for protocol, chosen, answer in (
        ("clean", 2, 2),
        ("paper", step, 2 if same else 4),
    ):
        # Each protocol's weights say something of their own.
        bias = run.model.layers[-1].bias
        bias.assign(10 * np.eye(bias.shape[0])[answer])
        row = {"epoch": chosen // 2, "step": chosen}
        run.workdir.save_best(run.model, protocol, row)
    measured, real = [], report._evaluated
    monkeypatch.setattr(
        report, "_evaluated", lambda *args: measured.append(args) or real(*args)
    )
    report.finish(run)
    results = json.loads((tmp_path / "results.json").read_text())["protocols"]
    clean, paper = results["clean"], results["paper"]
    assert len(measured) == (1 if same else 2)
    assert (clean["test"] == paper["test"]) == same
    assert (clean["step"], paper["step"]) == (2, step)
    for protocol in results:
        assert (tmp_path / "outputs" / f"{protocol}.npz").stat().st_size > 0


@pytest.mark.parametrize(
    "select, other",
    [("nll", "-nll"), ("ece", "-ece"), ("rmse_mean", "-rmse_mean"),
     ("-accuracy", "accuracy")],
)  # fmt: skip
def test_the_worst_weights_cannot_be_selected(select, other, synthetic_data, tmp_path):
    scores = {"nll": 1.0, "ece": 0.1, "rmse_mean": 0.3, "accuracy": 0.5}
    run = assemble(tiny_config(select=select), synthetic_data, tmp_path)
    run.selector = FakeSelector(lambda stream: scores)
    with pytest.raises(UsageError, match=f"worst weights: give '{other}'"):
        run.check()
    run.config.select = other
    run.check()
    run.evaluate(run.config.stages[0], {"epoch": 1, "step": 1})
    sign = -1 if other.startswith("-") else 1
    best = sign * scores[other.removeprefix("-")]
    assert float(run.state.best["clean"]) == pytest.approx(best)


class NotingWorkdir:
    """Keeps no weights, but the rows that it was to keep them with."""

    checkpoints = ""

    def __init__(self):
        self.rows = {"clean": [], "paper": []}

    def save_best(self, model, protocol, row):
        self.rows[protocol].append(row["epoch"])


def test_of_equal_scores_the_earlier_epoch_is_kept(synthetic_data, tmp_path):
    run = assemble(paper_config(), synthetic_data, tmp_path)
    # 0.7 is above the nearest float32, in which the best score is stored.
    run.selector = FakeSelector(lambda stream: {"accuracy": 0.7})
    run.workdir = NotingWorkdir()
    for epoch in (1, 2):
        run.evaluate(run.config.stages[0], {"epoch": epoch, "step": epoch})
    assert run.workdir.rows == {"clean": [1], "paper": [1]}


def test_each_protocol_chooses_on_its_own_split(synthetic_data, tmp_path):
    config = paper_config(views="center_mirror")
    run = assemble(config, synthetic_data, tmp_path)
    # Weights are chosen by the centre window, whatever is reported.
    assert run.selector.model.get_layer("views").views == "center"
    scores = {
        "validation": iter([0.3, 0.6, 0.5, 0.9]),
        "test": iter([0.9, 0.2, 0.95, 1]),
    }
    split_of = {id(stream): split for split, stream in run.eval_streams.items()}
    run.selector = FakeSelector(
        lambda stream: {"accuracy": next(scores[split_of[id(stream)]])}
    )
    run.workdir = NotingWorkdir()
    (stage,) = run.config.stages
    for epoch in (1, 2, 3):
        run.evaluate(stage, {"epoch": epoch, "step": epoch})
    assert run.workdir.rows == {"clean": [1, 2], "paper": [1, 3]}
    with stage.unlocked():
        stage.keep_best = False  # As in a stage that only prepares the next.
    run.evaluate(stage, {"epoch": 4, "step": 4})
    assert run.workdir.rows == {"clean": [1, 2], "paper": [1, 3]}


def test_without_a_paper_the_test_set_chooses_nothing(synthetic_data, tmp_path):
    run = assemble(tiny_config(), synthetic_data, tmp_path)
    assert list(run.eval_streams) == ["validation"]
    run.selector = FakeSelector(lambda stream: {"accuracy": 0.7})
    run.workdir = NotingWorkdir()
    row = {"epoch": 1, "step": 1}
    run.evaluate(run.config.stages[0], row)
    assert row == {"epoch": 1, "step": 1, "validation/accuracy": 0.7}
    assert run.workdir.rows == {"clean": [1], "paper": []}
