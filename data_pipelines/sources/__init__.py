"""Official layouts on disk -> samples. `SOURCES` names them all."""

from data_pipelines.sources.affectnet import AffectNet
from data_pipelines.sources.affwild2 import AffWild2
from data_pipelines.sources.ckplus import CkPlus
from data_pipelines.sources.errors import DataError, OptionError
from data_pipelines.sources.face_nonface import FaceNonface
from data_pipelines.sources.fer2013 import Fer2013
from data_pipelines.sources.ferplus import FerPlus
from data_pipelines.sources.folder import Folder
from data_pipelines.sources.options import check_options, parse_options
from data_pipelines.sources.rafdb import RafDb
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source
from data_pipelines.sources.synthetic import Synthetic
from data_pipelines.sources.table import Table
from fer_tf.dataset_facts import UNKNOWN, DatasetFacts

SOURCES = {
    source.name: source
    for source in (
        Fer2013,
        FerPlus,
        AffectNet,
        AffWild2,
        RafDb,
        CkPlus,
        FaceNonface,
        Folder,
        Table,
        Synthetic,
    )
}
"""Every source class by the name of its data set."""

__all__ = [
    "SOURCES",
    "DataError",
    "OptionError",
    "Reject",
    "Sample",
    "Source",
    "dataset_facts",
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
        OptionError: If the source has no such option, or the option no such value.

    >>> source = open_source("synthetic", "seed=1,examples=2,size=48")
    >>> sample, image = source.load(next(iter(source.rows())))
    >>> sample.sample_id, image.shape
    ('synthetic_0000000', (48, 48, 3))
    >>> source.crop_spec().name, source.default_detector
    ('synthetic', 'none')
    """
    source = SOURCES[dataset]
    return source(path, **check_options(dataset, source.options, options))


def dataset_facts(dataset: str) -> list[DatasetFacts]:
    """Facts of a data set, or of several joined by `+`, for a model card.

    >>> [facts.title for facts in dataset_facts("fer2013+synthetic")]
    ['FER2013', 'Drawn faces']
    """
    return [
        SOURCES[name].facts if name in SOURCES else UNKNOWN
        for name in dataset.split("+")
    ]
