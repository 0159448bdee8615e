"""From a config to the objects it names: model, batches, card.

TensorFlow is imported only where its data sets and strategies are asked for:
`trainers.fit` trains without it.
"""

import dataclasses
import re

import keras
import numpy as np

import fer_tf
from data_pipelines.batches import sampling
from data_pipelines.storage.prepared import Prepared
from fer_tf.convert import se_resnet50, vgg_face
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.model_io import model_folder
from fer_tf.model_io.views import make_inference_model
from trainers.common.cli import UsageError
from trainers.training.objectives import make_objective

# Formats of published weights, and what reads them into a model.
_PUBLISHED = {
    "vgg_face": vgg_face.load_vgg_face,
    "vggface2": se_resnet50.load_vggface2,
}


def build_model(config) -> keras.Model:
    """Builds the config's model under its dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.dtype_policy)
    try:
        model = fer_tf.create_model(config.model.name, **config.model.arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"`model`: {error}") from error
    finally:
        keras.config.set_dtype_policy(before)
    if len(model.inputs) > 1:
        names = ", ".join(each.name for each in model.inputs)
        raise UsageError(
            f"`model`: {config.model.name} with these arguments takes {names}; "
            "networks of one input are trained here."
        )
    if config.synchronize_batch_norm and replicas() > 1:
        _synchronize(model)
    return model


def replicas() -> int:
    """Devices that share each batch, under the strategy in whose scope this is."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _synchronize(model):
    """Lets every batch normalisation see the whole batch."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _synchronize(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def load_weights(config, model: keras.Model) -> None:
    """Loads what the model begins with beside its own random weights.

    `published` names a file of published weights; `submodels` maps the name of a
    submodel to the workdir or model folder of a trained network, for instance
    `{"face_network": "runs/meen_face_network"}`.

    Raises:
        UsageError: If a path is not given.
        ValueError: If what lies there does not fit.
    """
    published = config.published
    if published.format:
        if published.format not in _PUBLISHED:
            raise UsageError(
                f"`published.format` must be one of {', '.join(_PUBLISHED)}, or empty. "
                f"Received: {published.format!r}."
            )
        if not published.path:
            raise UsageError(
                f"`published.path` is empty: this run begins with {published.format}; "
                "give its file, or --config.published.format= to begin from scratch"
            )
        _PUBLISHED[published.format](
            model, published.path, sha256=published.sha256 or None
        )
    elif published.path or published.sha256:
        # Else the run would begin from scratch without a word.
        raise UsageError(
            "`published.path` needs `published.format`, one of "
            f"{', '.join(_PUBLISHED)}."
        )
    for name, path in config.submodels.items():
        if not path:
            raise UsageError(
                f"`submodels.{name}` is empty: give the workdir of the trained {name}"
            )
        _load_submodel(model.get_layer(name), path)


def _load_submodel(layer, path):
    trained = model_folder.load(path).get_weights()
    shapes = [np.shape(array) for array in trained]
    if shapes != [tuple(weight.shape) for weight in layer.weights]:
        raise ValueError(
            f"{path}: a network of other shapes than the submodel {layer.name}; "
            "it must be trained with the same width and input"
        )
    layer.set_weights(trained)


def crop_spec(config, prepared: Prepared) -> CropSpec:
    """The spec of the crops that the model is given, derived from the records'.

    With `mixed_crops` it is that of the first folder.

    Raises:
        ValueError: If the folders were cropped by different recipes.
    """
    size, color = config.input.size, config.input.color
    derived = [
        dataclasses.replace(spec, size=size, color=color)
        for spec in prepared.crop_specs
    ]
    for other, folder in zip(derived[1:], prepared.folders[1:]):
        if not config.mixed_crops:
            derived[0].require_same(other, f"{folder} (or set `mixed_crops`)")
    return derived[0]


def card(config, prepared: Prepared, spec: CropSpec) -> model_folder.Card:
    """What the weights of a run mean."""
    return model_folder.Card(
        model=config.model.name,
        arguments=config.model.arguments.to_dict(),
        crop_spec=spec,
        views=config.views,
        average=config.average,
        expressions=prepared.expressions,
        action_units=prepared.action_units,
        trained=tuple(_tasks(config)),
    )


def _tasks(config):
    """Losses of all stages, each once."""
    found = [stage.objective or config.objective for stage in config.stages]
    return dict.fromkeys(t for each in found for t in make_objective(each).tasks)


def set_trainable(model: keras.Model, stage, can_train: list[bool]) -> keras.Model:
    """Freezes all but what a stage trains, and returns the model it trains.

    That is the model's layers whose name fully matches `stage.train`, or a
    submodel on its own (Gan et al.'s RASnet, which is frozen ever after).

    Args:
        model: Of the run.
        stage: Of the config.
        can_train: Of each layer, whether its builder left it to be trained.

    Raises:
        UsageError: If no layer that can train matches.
    """
    for layer, can in zip(model.layers, can_train):
        layer.trainable = (
            layer.name == stage.submodel
            if stage.submodel
            else can and bool(re.fullmatch(stage.train, layer.name))
        )
    trained = model.get_layer(stage.submodel) if stage.submodel else model
    if not trained.trainable_variables:
        raise UsageError(f"`train` matches no layer that can train: {stage.train!r}.")
    return trained


def train_ops(config, prepared: Prepared, ops) -> list:
    """The augmentation that the config asks for, in its order.

    Args:
        config: Of the run.
        prepared: Data, whose classes are counted for `class_weights`.
        ops: `data_pipelines.batches.ops`.
    """
    augment, seed = config.augment, config.seed
    chosen = []
    if augment.degrees or augment.zoom or augment.shift:
        chosen.append(
            ops.random_affine(
                seed=seed,
                degrees=augment.degrees,
                zoom=augment.zoom,
                shift=augment.shift,
            )
        )
    if augment.crop:
        chosen.append(ops.random_crop(config.input.window, seed=seed))
    else:
        chosen.append(ops.center_crop(config.input.window))
    if augment.flip:
        chosen.append(ops.random_flip(seed=seed))
    if augment.erase:
        chosen.append(ops.random_erase(seed=seed, probability=augment.erase, area=0.2))
    if config.region_masks:
        if not (prepared.keeps_landmarks and prepared.manifests[0]["num_landmarks"]):
            folders = ",".join(prepared.folders)
            raise ValueError(f"{folders}: no landmarks to draw the region masks from")
        chosen.append(ops.region_masks(**config.region_masks))
    if config.class_weights:
        chosen.append(ops.class_weights(class_weights(prepared)))
    chosen += [ops.numbers_only(), ops.to_model_input()]
    if config.mixup:
        from trainers.training import mixup

        chosen.append(mixup.mixup(config.mixup, seed=seed))
    return chosen


def class_weights(prepared: Prepared) -> list[float]:
    """Inverse frequency of each expression, 1 on average; 0 for one without any."""
    counts = prepared.class_counts("train")
    present = np.count_nonzero(counts)
    return [counts.sum() / (present * n) if n else 0.0 for n in counts.tolist()]


def train_arguments(config) -> dict:
    """Arguments of the training batches, with or without TensorFlow."""
    return dict(
        _picture(config),
        batch_size=config.batch_size,
        seed=config.seed,
        shuffle_window=config.shuffle_window,
        sample=config.sampling.name,
        limit=config.sampling.limit,
    )


def eval_arguments(config) -> dict:
    """Arguments of the evaluation batches, with or without TensorFlow."""
    return dict(_picture(config), batch_size=config.eval_batch_size)


def _picture(config):
    grey = config.input.color == "grey"
    return dict(size=config.input.size, channels=1 if grey else 3)


def epoch_size(config, prepared: Prepared) -> int:
    """Training examples of an epoch, as the config draws them."""
    return order(config, prepared).epoch_size


def order(config, prepared: Prepared) -> sampling.Order:
    """The training examples as the config draws them."""
    return sampling.order(
        prepared,
        name=config.sampling.name,
        limit=config.sampling.limit,
        seed=config.seed,
        window=config.shuffle_window,
    )


def train_stream(config, prepared, *, start_step: int = 0):
    """Endless training batches from a step on, as a `tf.data.Dataset`."""
    from data_pipelines.batches import ops, pipeline

    return pipeline.train_batches(
        prepared,
        train_ops(config, prepared, ops),
        start_step=start_step,
        **train_arguments(config),
    )


def eval_stream(config, prepared, split: str):
    """One pass over whole crops; `make_inference` takes the windows."""
    from data_pipelines.batches import ops, pipeline

    return pipeline.eval_batches(
        prepared, split, [ops.to_model_input()], **eval_arguments(config)
    )


def make_inference(config, model, spec: CropSpec, *, views: str) -> keras.Model:
    """The model of whole crops that evaluation and exports share."""
    return make_inference_model(model, spec, views=views, average=config.average)
