import pytest

from fer_tf.plotting.curves import training_curves
from fer_tf.plotting.style import save_figure
from tests.fer_tf.plotting.legible import assert_legible

ROWS = [
    {"stage": stage, "epoch": 1, "step": 1, "learning_rate": 0.1, "loss": 2.0,
     "expression": 1.0, "valence": 0.5, "arousal": 0.5, "validation/ccc_mean": 0.1,
     "test/ccc_mean": 0.2}
    for stage in ("one", "one", "two")
]  # fmt: skip


def test_no_word_is_cut_off():
    assert_legible(training_curves(ROWS, select="ccc_mean", title="title"))


def test_no_number_is_cut_off_where_the_layout_makes_numbers_longer(tmp_path):
    rows = [
        {"stage": "one", "epoch": epoch, "loss": 2 / epoch, "valence": 0.5 / epoch,
         "arousal": 1.5 / epoch, "validation/accuracy": 0.5 + 0.01 * epoch,
         "validation/nll": 1.8 / epoch**0.7}
        for epoch in range(1, 15)
    ]  # fmt: skip
    figure = training_curves(rows, select="accuracy", title="title")
    save_figure(figure, str(tmp_path / "curves.png"))
    assert figure.get_tightbbox().x0 >= 0


def test_a_constant_rate_has_an_axis_of_a_decade():
    rate = training_curves(ROWS, select="ccc_mean").axes[2]
    assert rate.get_ylim() == pytest.approx((0.01, 0.14))


def test_epochs_go_on_through_the_stages_and_the_validation_loss_is_drawn():
    rows = [
        {"stage": stage, "epoch": epoch, "loss": 2.0, "learning_rate": rate,
         "validation/accuracy": 0.5, "validation/nll": 1.5}
        for stage, epoch, rate in (("one", 5, 0.1), ("one", 8, 0.1), ("two", 5, 0.01))
    ]  # fmt: skip
    losses, scores, rate = training_curves(rows, select="accuracy").axes
    named = {line.get_label(): line for line in losses.lines}
    assert list(named["validation, cross entropy"].get_xdata()) == [5, 8, 13]
    assert list(named["validation, cross entropy"].get_ydata()) == [1.5] * 3
    assert [axes.get_xlabel() for axes in (losses, scores, rate)] == ["epochs"] * 3
    assert losses.lines[-1].get_xdata()[0] == 8  # Where the second stage begins.


def test_the_whole_rate_is_drawn_and_an_end_at_zero_does_not_stretch_the_axis():
    rates = ([0.0, 1.0, 2.0, 3.0], [0.0, 0.1, 0.05, 4e-7])
    rate = training_curves(ROWS, select="ccc_mean", rates=rates).axes[2]
    assert list(rate.lines[0].get_xdata()) == rates[0]
    assert rate.get_ylim() == pytest.approx((5e-5, 0.14))
