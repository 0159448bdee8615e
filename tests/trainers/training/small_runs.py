"""Small runs, and parts that the tests hand to them."""

import tensorflow as tf

from data_pipelines.batches import pipeline
from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
from trainers.training import assembly, objectives


def assemble(config, data, workdir, **settings):
    prepared = pipeline.open_prepared(data)
    return assembly.assemble(config, prepared, str(workdir), **settings)


def assemble_and_check(config, data, workdir, **settings):
    run = assemble(config, data, workdir, **settings)
    run.check()
    return run


class FakeSelector:
    """Scores whatever the function says."""

    def __init__(self, scores):
        self.scores = scores


class Weighted(objectives.Expression):
    """Has a weight of its own to learn, as MTANet's second stage has."""

    def __init__(self):
        super().__init__()
        self.layer = UncertaintyWeighting({"expression": 1.0})
        self.layer.build()

    def __call__(self, batch, outputs):
        loss, tasks = super().__call__(batch, outputs)
        return self.layer({"expression": loss}), tasks


def first_is_best(run):
    """Gives a run an objective that learns, and scores that only fall."""
    run.objectives = [Weighted()]
    run.selector = FakeSelector(
        lambda stream: {"accuracy": 1 / (1 + int(run.state.step))}
    )
    return run


class Stopped(Exception):
    pass


def before_each_step(run, act):
    """Lets `act(step)` be called before every step of a run."""
    make_step = run.make_step

    def make(*args):
        step = make_step(*args)

        def acting(batch):
            act(int(run.state.step))
            step(batch)

        return acting

    run.make_step = make


def stop_at(run, number):
    """Lets a run raise `Stopped` in the place of a step."""

    def act(step):
        if step == number:
            raise Stopped

    before_each_step(run, act)


def note_steps(run):
    """A list, to which every step that is run adds its number."""
    numbers = []
    before_each_step(run, numbers.append)
    return numbers


def variables(run):
    """The arrays of a run's last checkpoint, by name."""
    path = tf.train.latest_checkpoint(run.workdir.checkpoints)
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "_CHECKPOINTABLE" not in name
    }
