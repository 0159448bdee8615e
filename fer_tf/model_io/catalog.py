"""The models that ship, by name.

`saved_models/catalog.json` holds `{"default": name, "models": {name: {...}}}`, and
beside it lies a model folder for each name. An entry states the sha256 of the
folder's `model.json`, which states those of all other files. In a checkout
`saved_models` is at the top; once installed it is inside this package.
`trainers.catalog` writes it.
"""

import os
from typing import Any

from fer_tf.utils import atomic

FILE = "catalog.json"


def root() -> str:
    """The folder of the catalog.

    Raises:
        ValueError: If this installation has none.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for parent in (package, os.path.dirname(package)):
        folder = os.path.join(parent, "saved_models")
        if os.path.isfile(os.path.join(folder, FILE)):
            return folder
    raise ValueError(f"{package}: installed without saved_models/{FILE}")


def read(folder: str | None = None) -> dict[str, Any]:
    """The catalog.

    Args:
        folder: Where it lies; None for the one that ships.

    Raises:
        ValueError: If it is damaged.
    """
    path = os.path.join(folder or root(), FILE)
    catalog = atomic.read_json(path)
    if not isinstance(catalog, dict) or not isinstance(catalog.get("models"), dict):
        raise ValueError(f"{path}: not a catalog of models")
    return {"default": None, **catalog}


def default() -> str:
    """Name of the model that is used when none is named.

    Raises:
        ValueError: If the catalog has no default, or not the one that it names.

    Example:
        >>> default()
        'ferplus_best'
    """
    catalog = read()
    if catalog["default"] is None:
        raise ValueError(
            f"no model is named, and the catalog has no default; {known(catalog)}"
        )
    if catalog["default"] not in catalog["models"]:
        raise ValueError(
            f"the catalog's default is {catalog['default']!r}, which it lacks; "
            f"{known(catalog)}"
        )
    return catalog["default"]


def known(catalog: dict[str, Any] | None = None) -> str:
    """What the catalog offers, as a part of a message."""
    names = sorted((catalog or read())["models"])
    return f"the catalog has: {', '.join(names)}" if names else "the catalog is empty"


def find(name: str) -> tuple[str, str]:
    """The folder of a model of the catalog, and the sha256 of its `model.json`.

    Raises:
        KeyError: If the catalog does not have the name.
        ValueError: If the entry states no sha256.

    Example:
        >>> folder, digest = find("fer2013_best")
        >>> len(digest)
        64
    """
    folder = root()
    entry = read(folder)["models"][name]
    if not isinstance(entry, dict) or "card_sha256" not in entry:
        raise ValueError(f"{os.path.join(folder, FILE)}: {name} has no card_sha256")
    return os.path.join(folder, name), entry["card_sha256"]
