"""A small model folder, and what a stranger may do to it."""

import json
import os

import pytest

from fer_tf.model_io import model_folder
from fer_tf.model_io.card import CARD
from fer_tf.utils.hashing import sha256

ARGUMENTS = dict(width=0.125, blocks=1, stage_filters=[16])


def change_card(folder, **changes):
    path = folder / CARD
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, **changes}))


def state_hash(folder, name=model_folder.WEIGHTS):
    """Makes the card state the file's hash, as an attacker would."""
    digest = sha256(str(folder / name))
    change_card(folder, weights={"file": name, "sha256": digest})


def refused(path, match):
    with pytest.raises(ValueError, match=match) as caught:
        model_folder.load(str(path))
    assert "\n" not in str(caught.value)
    assert os.path.basename(os.path.dirname(path)) in str(caught.value)


def save_whole(folder, model):
    path = folder / model_folder.WHOLE
    model.save(path)
    digest = sha256(str(path))
    change_card(folder, files={model_folder.WHOLE: {"sha256": digest}})
    return path
