"""Prepared folders, opened: what is in them, and where. Imports no TensorFlow."""

import dataclasses
import functools
import os

import numpy as np

from data_pipelines import records
from data_pipelines.array_files import ArrayFiles
from data_pipelines.record_files import RecordFiles, Shard
from data_pipelines.sources.sample import DataError
from fer_tf.faces.crop_spec import CropSpec


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One or several prepared folders, opened together.

    Attributes:
        folders: Paths, in the order given.
        manifests: One a folder.
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
        return _format(self.manifests[0])

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
        """Vocabulary of the action units, likewise."""
        return tuple(self.manifests[0]["action_units"])

    @property
    def keeps_landmarks(self) -> bool:
        """Whether all folders give the same points; otherwise none are given."""
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
        found = []
        for number, (folder, manifest) in enumerate(zip(self.folders, self.manifests)):
            prefix = f"{manifest['dataset']}-{split}."
            found += [
                Shard(
                    os.path.join(folder, shard["name"]),
                    number,
                    shard["num_examples"],
                    shard["sha256"],
                )
                for shard in manifest["shards"]
                if shard["name"].startswith(prefix) and shard["num_examples"]
            ]
        return found

    def files(self, split: str) -> RecordFiles | ArrayFiles:
        """Random access to the examples of a split.

        Raises:
            DataError: If there are none.
        """
        shards = self.shards(split)
        if not shards:
            raise DataError(f"{','.join(self.folders)}: no {split} examples here")
        return (ArrayFiles if self.format == "npz" else RecordFiles)(shards)

    @functools.cached_property
    def training_columns(self) -> dict[str, np.ndarray]:
        """What sampling goes by, of all training examples, read once.

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


def open_prepared(data: str) -> Prepared:
    """Opens `DIR[,DIR...]` as written by `trainers.prepare`.

    Raises:
        DataError: If a folder is not a finished prepared one, a file of it is
            missing, one is named twice, or two do not go together.
    """
    folders = tuple(part for part in data.split(",") if part)
    if not folders:
        raise DataError(f"no prepared folder is named in {data!r}")
    real = [os.path.realpath(folder) for folder in folders]
    for folder, path in zip(folders, real):
        if real.count(path) > 1:
            raise DataError(f"{folder}: named twice in {data!r}")
    prepared = Prepared(folders, tuple(records.read_manifest(f) for f in folders))
    for folder, manifest in zip(folders, prepared.manifests):
        for shard in manifest["shards"]:
            if not os.path.exists(os.path.join(folder, shard["name"])):
                raise DataError(f"{folder}: the shard {shard['name']} is missing")
        for key in ("expressions", "action_units", "votes"):
            if (manifest.get(key) or None) != (prepared.manifests[0].get(key) or None):
                raise DataError(
                    f"{folder}: its {key} are not those of {folders[0]}: "
                    "they cannot be opened together"
                )
        if _format(manifest) != prepared.format:
            raise DataError(
                f"{folder}: prepared as {_format(manifest)}, {folders[0]} as "
                f"{prepared.format}; prepare both in one format"
            )
    return prepared


def _format(manifest):
    return manifest.get("format", "tfrecord")
