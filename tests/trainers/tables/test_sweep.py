"""The settings of a sweep, and what is said of them."""

import json

import numpy as np
import pytest
from matplotlib.text import Text

from tests.fer_tf.plotting.legible import assert_legible
from tests.trainers.tables.test_comparison import off, said
from trainers.common.cli import UsageError
from trainers.tables import sweep, sweep_page
from trainers.tables.runs import config_file

CONFIG = config_file("small_resnet_synthetic")
TRUE = np.tile([0, 1, 2], 40)


def settings(over, **changes):
    options = dict(config=CONFIG, data="d", workdir="w", seeds=1, overrides={})
    return sweep.settings(sweep.parse(over), **{**options, **changes})


def test_every_combination_has_a_run_for_each_seed():
    found = settings(
        ["batch_size=32,64", "model.arguments.width=0.25,0.5"],
        seeds=2, overrides={"eval_epochs": "5"},
    )  # fmt: skip
    assert [s.name for s in found] == [
        "batch_size=32, model.arguments.width=0.25",
        "batch_size=32, model.arguments.width=0.5",
        "batch_size=64, model.arguments.width=0.25",
        "batch_size=64, model.arguments.width=0.5",
    ]
    assert [[run.changes["seed"] for run in s.runs] for s in found] == [["0", "1"]] * 4
    config = found[1].runs[1].load()
    assert (config.batch_size, config.seed) == (32, 1)
    assert config.model.arguments.width == 0.5
    assert config.eval_epochs == 5 and not config.reads_test
    paths = {run.path for s in found for run in s.runs}
    assert len(paths) == 8
    assert "w/runs/batch_size=32_model.arguments.width=0.5_seed1" in paths


def test_a_folder_is_a_settings_own_whatever_else_is_tried():
    """With one value more, what is trained stays."""
    few = {s.name: s.runs[0].path for s in settings(["batch_size=32,64"])}
    more = {s.name: s.runs[0].path for s in settings(["batch_size=16,64,32"])}
    assert few.items() <= more.items()
    long = "model.arguments.width=" + "0" * 200
    paths = {s.runs[0].path for s in settings([f"{long}.5,{long[22:]}.25"])}
    assert len(paths) == 2 and max(map(len, paths)) < 160
    # What a folder's name cannot tell apart.
    alike = settings(["init=a/b,a_b,a?b"], config=config_file("finetune"))
    assert len({s.runs[0].path for s in alike}) == 3
    (odd,) = settings(["stages[0].train=[ab]*"])
    # TensorFlow cannot read checkpoints back from such paths.
    assert not set(odd.runs[0].path) & set("[]*?\\,")


def test_so_many_trials_are_the_same_ones_each_time():
    over = ["batch_size=16,32,64,128", "eval_epochs=1,2,3"]
    every = [s.name for s in settings(over)]
    some = [s.name for s in settings(over, trials=5)]
    assert some == [s.name for s in settings(over, trials=5)]
    assert len(some) == 5 and set(some) < set(every) and some == sorted(
        some, key=every.index
    )  # fmt: skip
    assert len(settings(over, trials=99)) == 12


@pytest.mark.parametrize(
    "over, text",
    [
        ("batch_size", "KEY=VALUE,VALUE"),
        ("batch_size=", "KEY=VALUE,VALUE"),
        ("batch_size=32,,64", "KEY=VALUE,VALUE"),
        ("=32", "KEY=VALUE,VALUE"),
        ("batch_size=32,32", "stands there twice"),
        ("seed=1,2", "a sweep sets `seed` itself"),
        ("batchsize=32,64", "no key `batchsize`; near it: batch_size"),
        ("batch_size=32,many", "`batch_size` must be int"),
        ("model.arguments.widht=1,2", "widht"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_before_anything_trains(over, text):
    with pytest.raises(UsageError, match=text):
        settings([over])


@pytest.mark.parametrize(
    "over, metric, text",
    [
        ("batch_size=8,0", "accuracy", "^batch_size=0: .* at least 1"),
        ("stages[0].train=.*,nothing", "accuracy", "train=nothing: .* no layer"),
        ("batch_size=8,16", "ccc_mean", "^--metric=ccc_mean: .* one of accuracy"),
    ],
)
def test_what_would_fail_in_its_turn_is_refused_at_once(
    over, metric, text, synthetic_data, tmp_path
):
    tried = settings([over], data=synthetic_data, workdir=str(tmp_path / "w"))
    with pytest.raises(UsageError, match=text):
        sweep.check(tried, metric)


def test_what_can_be_trained_passes_and_nothing_is_written(synthetic_data, tmp_path):
    tried = settings(
        ["batch_size=8,16"], data=synthetic_data, workdir=str(tmp_path / "w")
    )
    sweep.check(tried, "nll")  # Of which the smallest is best.
    assert not (tmp_path / "w").exists()


@pytest.fixture
def finished(tmp_path):
    """`finished(setting, wrong, ...)`: leaves a run that errs on some of 120 faces."""

    def leave(setting, *wrong_by_seed):
        for run, wrong in zip(setting.runs, wrong_by_seed):
            predictions = said(TRUE, off(TRUE, wrong))
            predictions.save(f"{run.path}/outputs/clean.npz")
            metrics = {"accuracy": 1 - len(wrong) / 120, "nll": len(wrong) / 10}
            results = {
                "seconds": 1800.0,
                "protocols": {"clean": {"validation": {"metrics": metrics}}},
            }
            for name, text in (
                ("results.json", json.dumps(results)),
                ("report.md", ""),
            ):
                with open(f"{run.path}/{name}", "w") as file:
                    file.write(text)

    found = settings(
        ["batch_size=32,64,128"], workdir=str(tmp_path / "w"), seeds=2
    )  # fmt: skip
    return found, leave


def test_settings_are_ranked_and_set_against_the_best(finished):
    (worst, best, unfinished), leave = finished
    leave(worst, range(60), range(57))
    leave(best, range(6), range(9))
    rows = sweep.measure([worst, best, unfinished], "accuracy")
    assert [row["name"] for row in rows] == ["batch_size=64", "batch_size=32"]
    assert rows[0]["mean"] == pytest.approx(0.9375) and rows[0]["less_best"] is None
    # The deviation of 114 and 111 right of 120.
    assert rows[0]["std"] == pytest.approx(3 / 120 / np.sqrt(2))
    assert rows[0]["hours"] == 1.0
    less = rows[1]["less_best"]
    assert less["difference"] == pytest.approx(-0.425) and less["decided"]
    assert less["interval"][0] < less["faces"][0] < -0.425 < less["faces"][1] < 0
    # Of a smaller-is-better metric, the best is the smallest.
    assert sweep.measure([best, worst], "nll")[0]["name"] == "batch_size=64"
    with pytest.raises(UsageError, match="--metric=ccc_mean: the runs have accuracy"):
        sweep.measure([best], "ccc_mean")


def test_equal_settings_are_not_decided(finished):
    (one, other, _), leave = finished
    leave(one, range(6), range(9))
    leave(other, range(3, 9), range(10))
    _, second = sweep.measure([one, other], "accuracy")
    assert not second["less_best"]["decided"]


def test_one_seed_each_decides_nothing(finished):
    """Another seed may turn round what other faces would not."""
    (worst, best, _), leave = finished
    leave(worst, range(60))
    leave(best, range(6))
    first, second = sweep.measure([worst, best], "accuracy")
    less = second["less_best"]
    assert first["std"] is None and less["interval"] is None
    assert less["faces"][0] < -0.45 < less["faces"][1] < 0 and not less["decided"]
    page = sweep_page.markdown(result_of([first, second], {"batch_size": ["32", "64"]}))
    assert "] | not decided | 0.50 |" in page


def result_of(rows, over):
    return {
        "config": "c.py", "data": "d", "over": over, "metric": "accuracy",
        "num_settings": 3, "settings": rows,
    }  # fmt: skip


def test_the_page_has_a_row_a_setting_and_the_picture_a_line(finished):
    (worst, best, _), leave = finished
    leave(worst, range(60), range(57))
    leave(best, range(6), range(9))
    rows = sweep.measure([worst, best], "accuracy")
    result = result_of(rows, {"batch_size": ["32", "64", "128"]})
    page = sweep_page.markdown(result)
    assert "| 64 | 0.9375 ± 0.0177 | 2 | — | — | 1.00 |" in page
    assert (
        "| 32 | 0.5125 ± 0.0177 | 2 | -0.4250 [" in page and "] | yes | 1.00 |" in page
    )
    assert "2 of 3 settings, 2.00 hours." in page
    figure = sweep_page.draw(result)
    assert_legible(figure)
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["32", "64", "128"]
    means = axes.lines[-1]
    np.testing.assert_allclose(means.get_ydata(), [0.5125, 0.9375])
    assert list(means.get_xdata()) == [0, 1]


def test_a_second_key_has_lines_of_its_own():
    rows = [
        {"values": {"a": a, "b": b}, "mean": m, "per_seed": [m]}
        for a, b, m in (("1", "x", 0.1), ("2", "x", 0.2), ("1", "y", 0.3))
    ]
    figure = sweep_page.draw(result_of(rows, {"a": ["1", "2"], "b": ["x", "y"]}))
    words = {text.get_text() for text in figure.findobj(Text)}
    assert {"a", "b", "x", "y"} <= words
    lines = [line for line in figure.axes[0].lines if line.get_label() in ("x", "y")]
    assert [list(line.get_ydata()) for line in lines] == [[0.1, 0.2], [0.3]]
