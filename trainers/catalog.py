r"""Checks the catalog of models that ship, adds to it, and writes its table.

python -m trainers.catalog
python -m trainers.catalog --add=saved_models/NAME --make_default

An export that lies beside the catalog is added under its folder's name: from then
on `fer_tf.load(NAME)` finds it, and after `pip install` too. Every file of every
model is checked against its sha256; README.md there holds the table.
"""

import os
import re

from absl import flags

from fer_tf.model_io import catalog
from fer_tf.utils import atomic
from trainers.common import cli

_ADD = flags.DEFINE_string("add", None, "Export to add, a folder in --root.")
_DEFAULT = flags.DEFINE_bool(
    "make_default", False, "The one that is added is used when no model is named."
)
_ROOT = flags.DEFINE_string(
    "root", None, "Folder of the catalog; by default the one that ships."
)

_README = "README.md"


def main() -> None:
    """Entry point of the command line."""
    if _DEFAULT.value and not _ADD.value:
        cli.fail("--make_default needs --add", code=2)
    root = _ROOT.value or catalog.root()
    listed = catalog.read(root)
    name = _name(_ADD.value, root) if _ADD.value else None
    with cli.quiet_imports():
        from trainers.publishing import catalog_entries

    if name:
        listed["models"][name] = catalog_entries.entry(_ADD.value)
        if _DEFAULT.value or listed["default"] is None:
            listed["default"] = name
    for name in listed["models"]:
        catalog_entries.verify(root, name, listed["models"][name])
    atomic.write_json(os.path.join(root, catalog.FILE), listed)
    atomic.write_text(os.path.join(root, _README), catalog_entries.render(listed))
    print(f"{root}: {catalog.known(listed)}; the default is {listed['default']}")


def _name(folder, root):
    """The name of an export, which must lie beside the catalog."""
    parent, name = os.path.split(os.path.realpath(folder))
    if parent != os.path.realpath(root):
        raise ValueError(f"{folder}: must lie in {root}; export it there")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ValueError(f"{folder}: a name may hold letters, digits and _ . -")
    return name


if __name__ == "__main__":
    cli.run(main)
