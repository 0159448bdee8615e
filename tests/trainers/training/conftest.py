"""Runs that nobody disturbed, each trained once for all tests."""

import pytest
from ml_collections import ConfigDict

from tests.testing_utils import paper_config
from tests.trainers.training import small_runs
from trainers.training import objectives, report


@pytest.fixture(scope="session")
def finished(synthetic_data, tmp_path_factory):
    """A finished run; `traces` holds an element for each tracing of its loss."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    run = small_runs.assemble_and_check(paper_config(), synthetic_data, path)
    objective, run.traces = run.objectives[0], []

    class Counting(objectives.Expression):
        def __call__(self, *args):
            run.traces.append(args)
            return objective(*args)

    run.objectives = [Counting()]
    run.train()
    report.finish(run)
    return run, path


@pytest.fixture(scope="session")
def weighted(synthetic_data, tmp_path_factory):
    """One whose objective learns, and whose first weights stay the best."""
    path = tmp_path_factory.mktemp("runs") / "weighted"
    run = small_runs.assemble_and_check(paper_config(), synthetic_data, path)
    small_runs.first_is_best(run).train()
    return run, path


@pytest.fixture(scope="session")
def averaged(synthetic_data, tmp_path_factory):
    """One of two stages with mixup, whose evaluated weights are an average."""
    config = paper_config(ema_decay=0.9, mixup=0.3)
    second = paper_config().stages[0]
    config.stages = (config.stages[0], second)
    for name, stage in zip(("first", "second"), config.stages):
        stage.update(name=name, epochs=1)
    second.train = "expression|stage3.*"
    path = tmp_path_factory.mktemp("runs") / "averaged"
    run = small_runs.assemble_and_check(config, synthetic_data, path)
    run.train()
    return run, path


@pytest.fixture(scope="session")
def dropping(synthetic_data, tmp_path_factory):
    """One whose loss never drops by enough, so that its rate does."""
    config = paper_config()
    config.stages[0].epochs = 3
    config.stages[0].schedule = ConfigDict(
        dict(name="plateau", factor=0.1, patience=1, min_delta=100.0)
    )
    path = tmp_path_factory.mktemp("runs") / "dropping"
    run = small_runs.assemble_and_check(config, synthetic_data, path)
    run.train()
    return run, path
