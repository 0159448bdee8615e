import numpy as np
import pytest

from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from tests.testing_utils import paper_config
from tests.trainers.training.small_runs import (
    FakeSelector,
    Stopped,
    assemble,
    before_each_step,
)


@pytest.mark.slow
def test_the_best_weights_are_the_average_and_a_stage_hands_it_on(averaged):
    run, path = averaged
    assert len(run.workdir.rows) == 2
    best = model_folder.load(str(path / "best" / "clean"))
    stage = read_card(str(path / "best" / "clean"))["step"]
    # What was evaluated: the average at its step, which ends either stage.
    assert stage in (7, 14)
    for average, variable in zip(run.average.averages, run.average.averaged):
        np.testing.assert_array_equal(average.numpy(), variable.numpy())
    frozen = [v for v in run.model.variables if v.path.startswith("stem")]
    kept = {v.path: v.numpy() for v in best.variables}
    assert frozen
    for variable in frozen:  # By the second stage, bit for bit.
        np.testing.assert_array_equal(kept[variable.path], variable.numpy())


@pytest.mark.slow
def test_within_a_stage_the_average_is_evaluated_and_the_weights_train_on(
    synthetic_data, tmp_path
):
    run = assemble(paper_config(ema_decay=0.9), synthetic_data, tmp_path)
    values = lambda variables: np.concatenate([v.numpy().ravel() for v in variables])
    evaluated, last_step = [], 7

    def scores(stream):
        evaluated.append(values(run.average.averaged))
        return {"accuracy": 0.5}

    def after_the_first_epoch(step):
        if step == last_step:
            average = values(run.average.averages)
            weights = values(run.average.averaged)
            assert len(evaluated) == 2  # Validation and test.
            for found in evaluated:
                np.testing.assert_array_equal(found, average)
            # Training goes on from the weights.
            assert not np.array_equal(weights, average)
            raise Stopped

    run.selector = FakeSelector(scores)
    before_each_step(run, after_the_first_epoch)
    with pytest.raises(Stopped):
        run.train()
    assert last_step < run.total_steps(run.config.stages[0])
