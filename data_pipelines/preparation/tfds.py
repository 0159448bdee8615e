"""Files that make a prepared folder readable by TensorFlow Datasets.

`tfds.builder_from_directory(folder)` needs the shards, which are named in its way,
and three small files beside them, in the formats of TFDS 4.9. They are written
here; TFDS itself is not needed, and nothing of ours reads them.
"""

import os
from collections.abc import Mapping
from typing import Any

from fer_tf.utils import atomic

# TFDS wants a version; it follows the manifest's schema version.
_VERSION = "{}.0.0"
FILES = ("features.json", "expression.labels.txt", "dataset_info.json")
"""Files beside the shards."""

_CLASSES = "tensorflow_datasets.core.features."


def describe(folder: str, manifest: Mapping[str, Any]) -> None:
    """Writes `dataset_info.json`, `features.json` and the names of the classes."""
    features, names, info = (os.path.join(folder, name) for name in FILES)
    atomic.write_json(features, _features(manifest))
    atomic.write_text(names, "\n".join(manifest["expressions"]) + "\n")
    atomic.write_json(info, _info(folder, manifest))


def _info(folder, manifest):
    splits = []
    for split in manifest["counts"]:
        prefix = f"{manifest['dataset']}-{split}."
        shards = [s for s in manifest["shards"] if s["name"].startswith(prefix)]
        sizes = [os.path.getsize(os.path.join(folder, s["name"])) for s in shards]
        splits.append(
            {
                "name": split,
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                # This format writes whole numbers of 64 bits as text.
                "shardLengths": [str(shard["num_examples"]) for shard in shards],
                "numBytes": str(sum(sizes)),
            }
        )
    return {
        "name": manifest["dataset"],
        "version": _VERSION.format(manifest["schema_version"]),
        "description": f"Prepared by trainers.prepare: {manifest['source']['layout']}",
        "fileFormat": "tfrecord",
        "splits": splits,
    }


def _features(manifest):
    """The features of `records.feature_spec`, as TFDS describes them."""
    spec, units = manifest["crop_spec"], len(manifest["action_units"])
    channels = 1 if spec["color"] == "grey" else 3
    image = {
        "shape": _shape(spec["size"], spec["size"], channels),
        "dtype": "uint8",
        "encodingFormat": "png",
    }
    classes = {"numClasses": str(len(manifest["expressions"]))}
    features = {
        "image": _feature("image_feature.Image", "image", image),
        "expression": _feature("class_label_feature.ClassLabel", "classLabel", classes),
        "expression_weight": _tensor("float32", 1),
        "valence_arousal": _tensor("float32", 2),
        "valence_arousal_weight": _tensor("float32", 1),
        "action_units": _tensor("float32", units),
        "action_units_weight": _tensor("float32", units),
        "is_face": _tensor("int64"),
        "is_face_weight": _tensor("float32", 1),
        "landmarks": _tensor("float32", manifest["num_landmarks"], 2),
        "landmarks_weight": _tensor("float32", 1),
        "key": _tensor("int64"),
        "frame": _tensor("int64"),
    }
    if manifest["votes"]:
        features["votes"] = _tensor("float32", len(manifest["expressions"]))
    for name in ("sample_id", "subject", "video", "groups"):
        features[name] = _feature("text_feature.Text", "text", {})
    return _feature(
        "features_dict.FeaturesDict", "featuresDict", {"features": features}
    )


def _feature(python_class, kind, content):
    return {"pythonClassName": _CLASSES + python_class, kind: content}


def _tensor(dtype, *shape):
    content = {"shape": _shape(*shape), "dtype": dtype, "encoding": "none"}
    return _feature("tensor_feature.Tensor", "tensor", content)


def _shape(*dimensions):
    return {"dimensions": [str(d) for d in dimensions]} if dimensions else {}
