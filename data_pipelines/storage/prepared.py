"""Opened prepared folders: their contents and files. Imports no TensorFlow."""

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.storage import manifests, npz, record_files, shards
from data_pipelines.storage.array_files import ArrayFiles
from data_pipelines.storage.record_files import RecordFiles
from data_pipelines.storage.shards import Shard
from fer_tf.faces.crop_spec import CropSpec

# Fewest bytes that an example takes in a file.
_LEAST_EXAMPLE = 32


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One or several prepared folders, opened together.

    Attributes:
        folders: Paths, in the order given.
        manifests: One per folder.
    """

    folders: tuple[str, ...]
    manifests: tuple[dict, ...]

    @property
    def dataset(self) -> str:
        """Names of the data sets, joined by `+`."""
        return "+".join(manifest["dataset"] for manifest in self.manifests)

    @property
    def format(self) -> str:
        """How the folders are stored: `tfrecord` or `npz`."""
        return self.manifests[0]["format"]

    @property
    def crop_specs(self) -> tuple[CropSpec, ...]:
        """Each folder's crop spec."""
        return tuple(CropSpec.from_dict(m["crop_spec"]) for m in self.manifests)

    @property
    def expressions(self) -> tuple[str, ...]:
        """Vocabulary of the expressions, which all folders share."""
        return tuple(self.manifests[0]["expressions"])

    @property
    def action_units(self) -> tuple[str, ...]:
        """Vocabulary of the action units, which all folders share."""
        return tuple(self.manifests[0]["action_units"])

    @property
    def has_votes(self) -> bool:
        """Whether a folder has votes; a face of another has 0 for each expression."""
        return any(manifest["votes"] for manifest in self.manifests)

    @property
    def derived(self) -> tuple[str, ...]:
        """Kinds of labels that are derived from other labels in any folder."""
        kinds = {kind for m in self.manifests for kind in m.get("derived", ())}
        return tuple(sorted(kinds))

    @property
    def keeps_landmarks(self) -> bool:
        """Whether all folders have as many landmarks; otherwise none are given."""
        return len({m["num_landmarks"] for m in self.manifests}) == 1

    def counts(self, split: str) -> list[int]:
        """Examples of a split in each folder."""
        return [sum(m["counts"].get(split, {}).values()) for m in self.manifests]

    def count(self, split: str) -> int:
        """Examples of a split, in all folders."""
        return sum(self.counts(split))

    def class_counts(self, split: str) -> np.ndarray:
        """Examples of each expression, in the order of the labels."""
        return sum(
            np.array([m["counts"].get(split, {}).get(n, 0) for n in m["expressions"]])
            for m in self.manifests
        )

    def shards(self, split: str) -> list[Shard]:
        """The files of a split that hold examples, folder by folder."""
        opened = enumerate(zip(self.folders, self.manifests))
        return [
            shard
            for number, (folder, manifest) in opened
            for shard in shards.listed(folder, manifest, number)
            if shard.split == split and shard.num_examples
        ]

    def files(self, split: str) -> RecordFiles | ArrayFiles:
        """Random access to the examples of a split; the files are checked once.

        Raises:
            DataError: If there are none, or a file is not what its manifest states.
        """
        if split not in self._opened:
            self._opened[split] = self._open(split)
        return self._opened[split]

    @functools.cached_property
    def _opened(self):
        return {}

    def _open(self, split):
        whole_shards = self.shards(split)
        if not whole_shards:
            raise DataError(f"{','.join(self.folders)}: no {split} examples here")
        shards.require_whole(whole_shards)
        files = (ArrayFiles if self.format == "npz" else RecordFiles)(whole_shards)
        for number, manifest in enumerate(self.manifests):
            pairs = zip(whole_shards, files.classes)
            class_counts = sum((c for s, c in pairs if s.folder == number), Counter())
            if class_counts != Counter(manifest["counts"].get(split, {})):
                raise DataError(
                    f"{self.folders[number]}: the classes of {split} are not those "
                    "that the manifest counts"
                )
        return files

    @functools.cached_property
    def training_columns(self) -> dict[str, np.ndarray]:
        """The columns that sampling needs, for all training examples; read once.

        `expression` int64, `expression_weight` float32 and `video`, bytes that
        begin with the folder's number; empty where there is none. All `(n,)`.
        """
        files = self.files("train")
        columns = files.columns(("expression", "expression_weight", "video"))
        numbers = np.char.add(files.folders.astype("S"), b"/")
        named = columns["video"] != b""
        columns["video"] = np.where(
            named, np.char.add(numbers, columns["video"].astype("S")), b""
        )
        return columns


def examples(shard: Shard) -> Iterator[dict[str, Any]]:
    """The examples of a shard of either format, one at a time.

    Yields:
        `{name: NumPy value}`, named and shaped as `data_pipelines.storage.npz` lists
        them for one example; the image is decoded, texts are bytes.

    Raises:
        DataError: If it does not hold what its manifest states.
    """
    is_npz = shard.manifest["format"] == "npz"
    return (npz if is_npz else record_files).examples(shard)


def open_prepared(data: str) -> Prepared:
    """Opens `DIR[,DIR...]` as written by `trainers.prepare`.

    Raises:
        DataError: If a folder is not a finished prepared one, a file of it is
            missing, one is named twice, or two do not go together.

    >>> import tempfile
    >>> from data_pipelines.preparation.prepare import prepare
    >>> from data_pipelines.sources import open_source
    >>> source, folder = open_source("synthetic", "examples=12"), tempfile.mkdtemp()
    >>> manifest = prepare(source, folder, crop_spec=source.crop_spec(), format="npz")
    >>> prepared = open_prepared(folder)
    >>> prepared.dataset, prepared.format, prepared.count("train") > 6
    ('synthetic', 'npz', True)
    """
    folders = tuple(part for part in data.split(",") if part)
    if not folders:
        raise DataError(f"no prepared folder is named in {data!r}")
    real = [os.path.realpath(folder) for folder in folders]
    for folder, path in zip(folders, real):
        if real.count(path) > 1:
            raise DataError(f"{folder}: named twice in {data!r}")
    prepared = Prepared(folders, tuple(manifests.read(f) for f in folders))
    for folder, manifest in zip(folders, prepared.manifests):
        for shard in shards.listed(folder, manifest):
            _require_room(shard)
        for key in ("expressions", "action_units"):
            if manifest[key] != prepared.manifests[0][key]:
                raise DataError(
                    f"{folder}: its {key} are not those of {folders[0]}: "
                    "they cannot be opened together"
                )
        if manifest["format"] != prepared.format:
            raise DataError(
                f"{folder}: prepared as {manifest['format']}, {folders[0]} as "
                f"{prepared.format}; prepare both in one format"
            )
    return prepared


def _require_room(shard):
    """Refuses a file that is not there, or too small for what it is said to hold."""
    try:
        if not os.path.isfile(shard.path):
            raise FileNotFoundError
        size = os.path.getsize(shard.path)
    except FileNotFoundError as error:
        raise DataError(f"{shard.path}: the shard is missing") from error
    if size < _LEAST_EXAMPLE * shard.num_examples:
        raise DataError(
            f"{shard.path}: too small for the {shard.num_examples} examples of the "
            "manifest"
        )
