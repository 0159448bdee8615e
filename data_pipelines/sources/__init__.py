"""Official layouts on disk -> samples. `SOURCES` names them all."""

from data_pipelines.sources.face_nonface import FaceNonface
from data_pipelines.sources.fer2013 import Fer2013
from data_pipelines.sources.sample import DataError, Reject, Sample, Source
from data_pipelines.sources.synthetic import Synthetic

SOURCES = {
    "fer2013": Fer2013,
    "facenonface": FaceNonface,
    "synthetic": Synthetic,
}

__all__ = ["SOURCES", "DataError", "Reject", "Sample", "Source", "open_source"]


def open_source(dataset: str, path: str) -> Source:
    """Opens a data set in its owner's layout.

    Args:
        dataset: One of `SOURCES`.
        path: What the user downloaded; for `synthetic`, its options.

    Raises:
        DataError: If the layout is not there.
    """
    return SOURCES[dataset](path)
