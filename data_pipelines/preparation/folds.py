"""A prepared folder, dealt into the ten folds of a cross-validation.

The people are dealt by the rule of `sources.ckplus.ckplus_folds`. Each fold is tested
on once, the next one is `validation` (where a protocol wants
one), the rest is `train`: as `--options=fold=K` of the source itself, without finding
every face ten times. Pictures are stored once, ten folders link to them.
"""

import os
import shutil
from collections import Counter

import numpy as np

from data_pipelines.sources.ckplus import FOLDS, ckplus_folds
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import SPLITS
from data_pipelines.storage import manifests, shards
from data_pipelines.storage.record_files import RecordFiles
from fer_tf.utils import atomic
from fer_tf.utils.hashing import sha256


def deal(folder: str, output: str) -> list[str]:
    """Writes ten prepared folders, `<output>/fold0` to `fold9`.

    Args:
        folder: Prepared folder of records whose examples name their subject. How
            it was split does not matter.
        output: Appears whole or not at all; where it is there already, it is used.

    Returns:
        The ten paths.

    Raises:
        DataError: If the folder is no such folder, has fewer than ten people, or
            `output` was dealt from other data.
    """
    manifest = manifests.read(folder)
    whole = sorted(shard["sha256"] for shard in manifest["shards"])
    folders = [os.path.join(output, f"fold{fold}") for fold in range(FOLDS)]
    if os.path.isdir(output) and os.listdir(output):
        for path in folders:
            dealt_manifest = manifests.read(path)
            origin = dealt_manifest.get("dealt_from"), dealt_manifest["fold_subjects"]
            if origin != (whole, manifest["fold_subjects"]):
                raise DataError(f"{output}: dealt from other data than {folder}")
        return folders
    if manifest["format"] != "tfrecord":
        raise DataError(
            f"{folder}: only records can be dealt into folds; prepare it with "
            "--format=tfrecord"
        )
    dealt = _Dealt(folder, manifest)
    with atomic.new_folder(output) as temporary:
        written = [dealt.write(fold, temporary) for fold in range(FOLDS)]
        for tested, path in enumerate(folders):
            inside = os.path.join(temporary, os.path.basename(path))
            _link_fold(inside, tested, written, manifest, whole)
        for shard in written:
            os.remove(shard["path"])
    return folders


class _Dealt:
    """The records of a folder, grouped by the fold of their subject."""

    def __init__(self, folder, manifest):
        import tensorflow as tf

        whole_shards = shards.listed(folder, manifest)
        shards.require_whole(whole_shards)
        files = RecordFiles(whole_shards)
        self.rows = []
        for serialized in files.read(np.arange(len(files.folders))):
            features = tf.train.Example.FromString(serialized).features.feature
            subject = features["subject"].bytes_list.value[0].decode()
            name = _class_of(features, manifest["expressions"])
            self.rows.append((subject, name, serialized))
        subjects = sorted({subject for subject, _, _ in self.rows})
        if len(subjects) < FOLDS or not subjects[0]:
            known = len(list(filter(None, subjects)))
            raise DataError(
                f"{folder}: {FOLDS} folds need {FOLDS} people and everybody's name; "
                f"{known} are named"
            )
        counted = manifest["fold_subjects"] or subjects
        folds = enumerate(ckplus_folds(counted))
        self.fold_of = {name: fold for fold, names in folds for name in names}

    def write(self, fold, output):
        """Writes a fold's records to one file; returns what a manifest says of it."""
        import tensorflow as tf

        path = os.path.join(output, f"people{fold}")
        chosen = [row for row in self.rows if self.fold_of[row[0]] == fold]
        with tf.io.TFRecordWriter(path) as writer:
            for _, _, serialized in chosen:
                writer.write(serialized)
        counts = dict(sorted(Counter(name for _, name, _ in chosen).items()))
        return {"path": path, "counts": counts, "sha256": sha256(path)}


def _link_fold(folder, tested, written, manifest, whole):
    """Makes one of the ten folders, of links to the files of all folds."""
    os.makedirs(folder)
    counts, listed = {}, []
    parts = {
        "test": [tested],
        "validation": [(tested + 1) % FOLDS],
        "train": [(tested + 2 + n) % FOLDS for n in range(FOLDS - 2)],
    }
    for split in SPLITS:
        total = Counter()
        for number, fold in enumerate(parts[split]):
            shard = written[fold]
            where = f"{number:05d}-of-{len(parts[split]):05d}"
            name = f"{manifest['dataset']}-{split}.tfrecord-{where}"
            _link(shard["path"], os.path.join(folder, name))
            total.update(shard["counts"])
            examples = sum(shard["counts"].values())
            listed.append(
                {"name": name, "num_examples": examples, "sha256": shard["sha256"]}
            )
        counts[split] = dict(sorted(total.items()))
    source = manifest["source"]
    layout = f"{source['layout']}; dealt anew, fold={tested}"
    dealt = {
        "counts": counts,
        "shards": listed,
        "source": {**source, "layout": layout},
        "fold": tested,
        "dealt_from": whole,
    }
    atomic.write_json(os.path.join(folder, manifests.NAME), {**manifest, **dealt})


def _class_of(features, expressions):
    """The class that a manifest counts an example under."""
    if features["expression_weight"].float_list.value[0]:
        return expressions[features["expression"].int64_list.value[0]]
    if features["is_face_weight"].float_list.value[0]:
        return "face" if features["is_face"].int64_list.value[0] else "nonface"
    return "unlabelled"


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:  # Not every file system has links.
        shutil.copyfile(source, target)
