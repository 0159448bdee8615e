from fer_tf.plotting.curves import training_curves
from tests.fer_tf.plotting.legible import assert_legible

ROWS = [
    {"stage": stage, "epoch": 1, "step": 1, "learning_rate": 0.1, "loss": 2.0,
     "expression": 1.0, "valence": 0.5, "arousal": 0.5, "validation/ccc_mean": 0.1,
     "test/ccc_mean": 0.2}
    for stage in ("one", "one", "two")
]  # fmt: skip


def test_no_word_is_cut_off():
    assert_legible(training_curves(ROWS, select="ccc_mean", title="title"))
