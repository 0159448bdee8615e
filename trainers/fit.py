r"""A recipe for `model.fit`: TensorFlow, JAX or PyTorch, in Colab or anywhere.

    from trainers import fit
    from trainers.configs import wang_synthetic

    model, arguments = fit.compiled(wang_synthetic.get_config(), "data/synthetic")
    model.fit(**arguments)

The model has the recipe's objective (with missing labels and learned task weights),
optimizer, schedule and metrics. It gets the same batches as `trainers.train`, step for
step. Folders prepared with `--format=npz` need no TensorFlow. A recipe of several
stages takes one call for each:

    for stage in range(len(config.stages)):
        model, arguments = fit.compiled(config, data, stage=stage, after=model)
        model.fit(**arguments)

`compiled` takes callbacks of your own. They can log to any tracker: "Log to another
tracker" in `trainers/README.md` shows one. `config.class_weights = True` weights each
expression by the inverse of its frequency. Keras refuses `fit(class_weight=...)` beside
the weights that mark missing labels.

`model_folder.save(folder, model.network, model.card)` writes a folder that
`fer_tf.load` and all commands take. A config is refused if it asks for what only
`trainers.train` does: mixup, averaged weights, micro-batches, several devices.
Determinism is up to you: on TensorFlow call
`tf.config.experimental.enable_op_determinism()`, which acts on the whole process.
"""

import dataclasses
from collections.abc import Sequence

import keras
from ml_collections import ConfigDict

from data_pipelines.batches import arrays, ops
from data_pipelines.storage.prepared import Prepared, open_prepared
from fer_tf import metrics
from trainers.training import (
    build,
    checks,
    fine_tuning,
    objectives,
    optimizers,
    precision,
    streams,
)

_LABELS = ("expression", "valence_arousal", "action_units", "is_face")


@keras.saving.register_keras_serializable(package="fer_tf")
class Trainee(keras.Model):
    """A network together with its objective.

    `fit` and `evaluate` take `(image, labels, weights)`, labels and weights by name
    as `data_pipelines.batches.arrays` gives them. Beside the total they report every
    loss of the objective and the usual metrics of the network's outputs.

    Args:
        network: From `fer_tf.create_model`.
        objective: Its `name` and arguments, as configs have them.
        submodel: Name of the layer that is trained, if not the whole network.

    Attributes:
        network: The network.
        card, can_train: Set by `compiled`; a model read from a `.keras` file has
            neither and cannot be `after`.
    """

    def __init__(self, network, objective, submodel="", **kwargs):
        super().__init__(**kwargs)
        self.network, self.submodel = network, submodel
        self.described = ConfigDict(objective)
        self.objective = objectives.make_objective(self.described)
        # As an attribute it is trained, saved and restored with the network.
        self.weighting = self.objective.layer
        self.losses_of_tasks = {
            task: keras.metrics.Mean(name=f"{task}_loss")
            for task in self.objective.tasks
        }
        self.scores, self._columns = _scores(self.trained.output)
        self.built = True

    @property
    def trained(self) -> keras.Model:
        """The network, or the submodel of it that is trained."""
        return self.network.get_layer(self.submodel) if self.submodel else self.network

    def call(self, image, training=None):
        return self.trained(image, training=training)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        weights = {f"{task}_weight": value for task, value in sample_weight.items()}
        total, task_losses = self.objective({**y, **weights}, y_pred)
        for task, loss in task_losses.items():
            self.losses_of_tasks[task].update_state(loss)
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        for name, score in self.scores.items():
            output, label, column = self._columns[name]
            target = y[label] if column is None else y[label][:, column]
            score.update_state(target, y_pred[output], sample_weight[label])
        return self.get_metrics_result()

    def get_config(self):
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "objective": self.described.to_dict(),
            "submodel": self.submodel,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network, **config)


def compiled(
    config: ConfigDict,
    data: str | Prepared,
    *,
    stage: int = 0,
    after: Trainee | None = None,
    first_epoch: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[Trainee, dict]:
    """Builds what `fit` needs for one stage of a recipe.

    An epoch has whole batches only. The examples that are left over come first in the
    next epoch. Validation sees the central window of each crop; `trainers.evaluate`
    gives the numbers over the views of the paper.

    Args:
        config: See `trainers/configs/`.
        data: Prepared folder or folders, `DIR[,DIR...]`, opened or not.
        stage: Number of the stage.
        after: The model of the stage before; None builds a new network.
        first_epoch: Epoch to start with, if you restore weights and optimizer
            afterwards. The batches continue from there.
        callbacks: Of your own, such as `keras.callbacks.EarlyStopping`, before ours.

    Returns:
        The compiled model, and the arguments of its `fit`.

    Raises:
        ValueError: If the config or the data cannot be used.
    """
    _refuse(config)
    if not 0 <= stage < len(config.stages):
        raise ValueError(
            f"`stage` must be below {len(config.stages)}. Received: stage={stage}."
        )
    prepared = open_prepared(data) if isinstance(data, str) else data
    fine_tuning.adopt_network(config, prepared)
    build.follow_classes(config, prepared)
    spec = build.crop_spec(config, prepared)
    chosen = config.stages[stage]
    network, can_train = _network(config, prepared, after)
    num_train = streams.epoch_size(config, prepared)
    checks.check(config, network, spec, num_train, prepared.action_units)
    build.set_trainable(network, chosen, can_train)
    model = Trainee(
        network, (chosen.objective or config.objective).to_dict(), chosen.submodel
    )
    model.can_train = can_train
    # Training will show which of its losses have labels.
    card = build.card(config, prepared, spec)
    model.card = dataclasses.replace(card, trained=None)
    steps = [optimizers.total_steps(config, s, num_train) for s in config.stages]
    optimizer = optimizers.build_optimizer(config, chosen, steps[stage])
    model.compile(optimizer, jit_compile=_should_jit(config))
    an_epoch = min(steps[stage], num_train // config.batch_size)
    arguments = {
        "epochs": max(1, round(steps[stage] / an_epoch)),
        "initial_epoch": first_epoch,
        "callbacks": [*callbacks, *_callbacks(config, chosen, card, after)],
        "shuffle": False,
    }
    first = sum(steps[:stage])
    if prepared.format == "npz":
        arguments |= _array_batches(config, prepared, first, an_epoch)
        arguments["callbacks"].append(arrays.EpochOf(arguments["x"]))
    else:
        first += first_epoch * an_epoch
        arguments |= _tensorflow_batches(config, prepared, first, an_epoch)
    return model, arguments


def _callbacks(config, stage, card, after):
    yield keras.callbacks.TerminateOnNaN()
    before = () if after is None else after.card.trained
    if before is not None:  # None: restored weights, of which nothing is known.
        yield _Trained(card, before)
    if stage.schedule.name == "plateau":
        yield _Plateau(stage, config.eval_epochs)


def _refuse(config):
    """Refuses settings that `fit` would ignore."""
    settings = {
        "mixup": config.mixup,
        "ema_decay": config.ema_decay,
        "micro_batches": config.micro_batches > 1 and config.micro_batches,
        "patience": config.patience,
        "published.statistics": config.published.format and config.published.statistics,
    }
    for key, value in settings.items():
        if value:
            raise ValueError(
                f"`{key}` {value} is for trainers.train; model.fit does without."
            )
    if build.replicas() > 1:
        raise ValueError("model.fit trains on one device; trainers.train on several.")


def _network(config, prepared, after):
    """The network, and whether its builder left each layer to be trained."""
    if after is not None:
        return after.network, after.can_train
    keras.utils.set_random_seed(config.seed)
    precision.settle(config)
    network = build.build_model(config)
    build.load_weights(config, network)
    fine_tuning.begin(config, network, prepared)
    return network, [layer.trainable for layer in network.layers]


def _should_jit(config):
    if keras.backend.backend() != "tensorflow":
        return "auto"
    from trainers.training import steps

    return steps.should_jit(config.jit_compile)


def _labels(config, prepared):
    masks = ("region_masks",) if config.region_masks else ()
    votes = ("votes",) if prepared.has_votes else ()
    return (*_LABELS, *masks, *votes)


def _eval_ops(config):
    masks = [ops.region_masks(**config.region_masks)] if config.region_masks else []
    return [ops.center_crop(config.input.window), *masks, ops.to_model_input()]


def _array_batches(config, prepared, start, an_epoch):
    """`x` and `validation_data` of npz files."""
    tasks = _labels(config, prepared)
    arguments = {
        "x": arrays.TrainBatches(
            prepared,
            streams.train_ops(config, prepared),
            tasks,
            start_step=start,
            steps_per_epoch=an_epoch,
            **streams.train_arguments(config),
        )
    }
    if prepared.count("validation"):
        arguments["validation_data"] = arrays.EvalBatches(
            prepared,
            "validation",
            _eval_ops(config),
            tasks,
            **streams.eval_arguments(config),
        )
    return arguments


def _tensorflow_batches(config, prepared, start, an_epoch):
    """`x` and `validation_data` of records."""
    from data_pipelines.batches import pipeline

    tasks = _labels(config, prepared)
    stream = streams.train_stream(config, prepared, start_step=start)
    arguments = {"x": pipeline.for_fit(stream, tasks), "steps_per_epoch": an_epoch}
    if prepared.count("validation"):
        batches = pipeline.eval_batches(
            prepared,
            "validation",
            _eval_ops(config),
            **streams.eval_arguments(config),
        )
        arguments["validation_data"] = pipeline.for_fit(batches, tasks)
    return arguments


class _Trained(keras.callbacks.Callback):
    """Notes in the card which losses had labels: a loss of exactly 0 had none."""

    def __init__(self, card, before):
        super().__init__()
        self.card, self.tasks = card, set(before)

    def on_epoch_end(self, epoch, logs=None):
        tasks = self.model.losses_of_tasks
        self.tasks |= {task for task in tasks if logs.get(f"{task}_loss")}
        trained = tuple(task for task in self.card.trained if task in self.tasks)
        self.model.card = dataclasses.replace(self.card, trained=trained)


class _Plateau(keras.callbacks.Callback):
    """Wang et al.'s "when the loss did not drop, divided by 10".

    The loss is the mean over `every` epochs, as often as `trainers.train` evaluates.
    """

    def __init__(self, stage, every):
        super().__init__()
        self.plateau, self.base = optimizers.build_plateau(stage), None
        self.every, self.losses = every, []

    def on_train_begin(self, logs=None):
        # A restored optimizer keeps the rate of its earlier drops. The losses before
        # them are not known.
        if self.base is None:
            rate = self.model.optimizer.learning_rate
            self.base = float(keras.ops.convert_to_numpy(rate))

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        if (epoch + 1) % self.every:
            return
        scale = self.plateau.update(sum(self.losses) / len(self.losses))
        self.losses.clear()
        self.model.optimizer.learning_rate = self.base * scale


def _scores(outputs):
    """Metrics of a network's outputs, and `(output, label, column)` of each."""
    scores, columns = {}, {}

    def add(score, output, label, column=None):
        scores[score.name], columns[score.name] = score, (output, label, column)

    width = lambda output: outputs[output].shape[-1]
    if "expression" in outputs:
        add(metrics.Accuracy(width("expression")), "expression", "expression")
        add(metrics.MacroF1(width("expression")), "expression", "expression")
    for index, name in enumerate(("valence", "arousal")):
        both = "valence_arousal"
        if both in outputs:
            add(metrics.CCC(index, name=f"ccc_{name}"), both, both)
            add(metrics.RMSE(index, name=f"rmse_{name}"), both, both)
        elif name in outputs:
            add(metrics.CCC(name=f"ccc_{name}"), name, both, index)
            add(metrics.RMSE(name=f"rmse_{name}"), name, both, index)
    if "action_units" in outputs:
        units = "action_units"
        add(metrics.ActionUnitF1(width(units)), units, units)
    if "is_face" in outputs:
        add(metrics.Accuracy(2, name="face_accuracy"), "is_face", "is_face")
    return scores, columns
