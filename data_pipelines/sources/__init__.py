"""Official layouts on disk -> samples. `SOURCES` names them all."""

from data_pipelines.sources.affectnet import AffectNet
from data_pipelines.sources.affwild2 import AffWild2
from data_pipelines.sources.ckplus import CkPlus
from data_pipelines.sources.face_nonface import FaceNonface
from data_pipelines.sources.fer2013 import Fer2013
from data_pipelines.sources.ferplus import FerPlus
from data_pipelines.sources.folder import Folder
from data_pipelines.sources.rafdb import RafDb
from data_pipelines.sources.sample import (
    DataError,
    OptionError,
    Reject,
    Sample,
    Source,
)
from data_pipelines.sources.synthetic import Synthetic
from data_pipelines.sources.table import Table

SOURCES = {
    "fer2013": Fer2013,
    "ferplus": FerPlus,
    "affectnet": AffectNet,
    "affwild2": AffWild2,
    "rafdb": RafDb,
    "ckplus": CkPlus,
    "facenonface": FaceNonface,
    "folder": Folder,
    "csv": Table,
    "synthetic": Synthetic,
}

# Sources that take no options, and have no need to say so.
_PLAIN = ("fer2013", "facenonface", "synthetic")

__all__ = [
    "SOURCES",
    "DataError",
    "OptionError",
    "Reject",
    "Sample",
    "Source",
    "open_source",
    "parse_options",
]


def open_source(dataset: str, path: str, **options) -> Source:
    """Opens a data set in its owner's layout.

    Args:
        dataset: One of `SOURCES`.
        path: What the user downloaded; for `synthetic`, its options.
        **options: What the data set's source takes (`rule`, `fold`, ...).

    Raises:
        DataError: If the layout is not there.
        OptionError: If the source has no such option or it no such value.
    """
    if dataset in _PLAIN and options:
        raise OptionError(f"{dataset} has no option {next(iter(options))!r}")
    return SOURCES[dataset](path, **options)


def parse_options(text: str) -> dict[str, str]:
    """Options from "rule=majority,fold=3"; an empty text has none.

    Raises:
        OptionError: If it is not key=value pairs.
    """
    options = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not key or not equals or not value or key in options:
            raise OptionError(f"options must be key=value pairs. Received: {part!r}")
        options[key] = value
    return options
