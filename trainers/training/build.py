"""From a config to its model: layers, first weights, what is trained, card.

TensorFlow is imported only where its data sets and strategies are asked for:
`trainers.fit` trains without it.
"""

import dataclasses
import re

import keras
import numpy as np
from ml_collections import ConfigDict

import fer_tf
from data_pipelines.storage.prepared import Prepared
from fer_tf import labels, models
from fer_tf.convert import dlib_face, se_resnet50, vgg_face
from fer_tf.dataset_facts import DatasetFacts
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from fer_tf.model_io.views import make_inference_model
from trainers.common.cli import UsageError
from trainers.training.objectives import make_objective

# Formats of published weights: what reads them into a model, and what they come from.
_PUBLISHED = {
    "vgg_face": (vgg_face.load_vgg_face, vgg_face.FACTS),
    "vggface2": (se_resnet50.load_vggface2, se_resnet50.FACTS),
    "dlib_face": (dlib_face.load_dlib_face, dlib_face.FACTS),
}


def build_model(config: ConfigDict) -> keras.Model:
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
        names = ", ".join(tensor.name for tensor in model.inputs)
        raise UsageError(
            f"`model`: {config.model.name} with these arguments takes {names}; "
            "networks of one input are trained here."
        )
    if config.synchronize_batch_norm and replicas() > 1:
        _synchronize(model)
    return model


def follow_classes(config: ConfigDict, prepared: Prepared) -> None:
    """Gives the config's model an output for each class of a user's own.

    It keeps its number where the seven expressions come first: what may follow them,
    such as contempt, is the config's to choose.
    """
    if prepared.expressions[:7] == labels.EXPRESSIONS[:7]:
        return
    arguments, classes = config.model.arguments, prepared.expressions
    takes = "num_classes" in models.argument_names(config.model.name)
    if takes and arguments.get("num_classes") != len(classes):
        print(f"the model gets {len(classes)} classes: {', '.join(classes)}")
        with arguments.unlocked():
            arguments.num_classes = len(classes)


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


def load_weights(config: ConfigDict, model: keras.Model) -> None:
    """Loads the trained weights that the model starts from, if the config names any.

    `published` names a file of published weights; `submodels` maps the name of a
    submodel to the workdir or model folder of a trained network, for instance
    `{"face_network": "runs/meen_face_network"}`.

    Raises:
        UsageError: If a path is missing.
        ValueError: If the weights at a path do not fit.
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
        load, _ = _PUBLISHED[published.format]
        load(model, published.path, sha256=published.sha256 or None)
    elif published.path or published.sha256:
        # Without an error the run would start from scratch unnoticed.
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


def published_facts(config: dict) -> list[DatasetFacts]:
    """What the weights that a run began from were trained on, for its card."""
    name = config.get("published", {}).get("format")
    return [_PUBLISHED[name][1]] if name in _PUBLISHED else []


def _load_submodel(layer, path):
    trained = model_folder.load(path).get_weights()
    shapes = [np.shape(array) for array in trained]
    if shapes != [tuple(weight.shape) for weight in layer.weights]:
        raise ValueError(
            f"{path}: a network of other shapes than the submodel {layer.name}; "
            "it must be trained with the same width and input"
        )
    layer.set_weights(trained)


def crop_spec(config: ConfigDict, prepared: Prepared) -> CropSpec:
    """The spec of the crops that the model takes, derived from that of the records.

    With `mixed_crops` it is derived from the first folder's.

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


def card(config: ConfigDict, prepared: Prepared, spec: CropSpec) -> Card:
    """The card of a run's weights: what they mean."""
    return Card(
        model=config.model.name,
        arguments=config.model.arguments.to_dict(),
        crop_spec=spec,
        views=config.views,
        average=config.average,
        expressions=prepared.expressions,
        action_units=prepared.action_units,
        trained=tuple(tasks(config)),
    )


def tasks(config: ConfigDict) -> list[str]:
    """Names of the task losses of all stages, each once."""
    settings = [stage.objective or config.objective for stage in config.stages]
    names = [task for setting in settings for task in make_objective(setting).tasks]
    return list(dict.fromkeys(names))


def set_trainable(model: keras.Model, stage, can_train: list[bool]) -> keras.Model:
    """Freezes all but what a stage trains, and returns the model it trains.

    A stage trains the layers whose name fully matches `stage.train`, or one submodel on
    its own (Gan et al.'s RASnet, which is frozen afterwards).

    Args:
        model: Of the run.
        stage: Of the config.
        can_train: For each layer, whether the model's builder left it trainable.

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


def make_inference(
    config: ConfigDict, model, spec: CropSpec, *, views: str
) -> keras.Model:
    """The model of whole crops that evaluation and exports share."""
    return make_inference_model(model, spec, views=views, average=config.average)
