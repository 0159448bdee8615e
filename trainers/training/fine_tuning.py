"""`init`: a run that begins with the weights of a trained network.

The network of the weights is taken as it is. Where the data names other expressions
than the weights were trained on, the layer that names them begins anew.
"""

import keras
from ml_collections import ConfigDict

from data_pipelines.storage.prepared import Prepared
from fer_tf import models
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card, card_from, read_card
from trainers.common.cli import UsageError

_HEAD = "expression/"


def adopt_network(config: ConfigDict, prepared: Prepared) -> None:
    """Takes the network, crops and views of the weights to begin with into a config.

    Without `init` the config stays.

    Args:
        config: Of a run; its `model.name` is empty, or that of the weights.
        prepared: The data; its expressions decide the number of outputs.

    Raises:
        UsageError: If the config names another network.
        ValueError: If there are no such weights, or the data's crops are framed
            otherwise than theirs.
    """
    if not config.init:
        return
    card = _card(config)
    name = config.model.name
    if name and name != card.model:
        raise UsageError(
            f"`init`: {config.init} is a {card.model}, and the config trains a {name}: "
            "give trainers/configs/finetune.py, which takes any network"
        )
    spec = card.crop_spec
    for folder, crops in zip(prepared.folders, prepared.crop_specs):
        if not config.mixed_crops:
            spec.require_same_framing(crops, f"the data in {folder}")
    arguments = dict(card.arguments)
    network = models.create_model(card.model, **arguments)
    if not _shares_names(network, card, prepared):
        arguments["num_classes"] = len(prepared.expressions)
    config.model = ConfigDict(dict(name=card.model, arguments=arguments))
    window = network.inputs[0].shape[1]
    config.input = ConfigDict(dict(size=spec.size, color=spec.color, window=window))
    config.augment.crop = config.augment.crop and window < spec.size
    config.views, config.average = card.views, card.average


def begin(config: ConfigDict, model: keras.Model, prepared: Prepared) -> None:
    """Gives a model the weights of `init`, and says which layers begin anew.

    Without `init` the model stays.

    Raises:
        ValueError: If no weight fits.
    """
    if not config.init:
        return
    trained = model_folder.load(config.init)
    values = {weight.path: weight for weight in trained.weights}
    if not _shares_names(trained, trained.card, prepared):
        values = {k: v for k, v in values.items() if not k.startswith(_HEAD)}
    anew = []
    for weight in model.weights:
        value = values.get(weight.path)
        if value is not None and tuple(value.shape) == tuple(weight.shape):
            weight.assign(value)
        else:
            anew.append(weight.path)
    if len(anew) == len(model.weights):
        raise ValueError(f"{config.init}: no weight of it fits this network")
    layers = list(dict.fromkeys(path.rsplit("/", 1)[0] for path in anew))
    rest = f"; these begin anew: {', '.join(layers)}" if layers else ""
    print(f"begins with the weights of {config.init}{rest}", flush=True)


def _card(config) -> Card:
    folder = model_folder.find(config.init)
    return card_from(read_card(folder), where=folder)


def _shares_names(network, card, prepared):
    """Whether output and label of one place mean the same."""
    head = network.output.get("expression")
    count = 0 if head is None else head.shape[-1]
    return card.expressions[:count] == prepared.expressions[:count]
