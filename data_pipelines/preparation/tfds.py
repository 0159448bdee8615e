"""Files that make a prepared folder readable by TensorFlow Datasets.

`tfds.builder_from_directory(folder)` needs the shards, which are named in its way,
and three small files beside them, in the formats of TFDS 4.9. They are written
here; TFDS itself is not needed, and nothing of ours reads them.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from data_pipelines.storage import schema
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
    spec = manifest["crop_spec"]
    channels = 1 if spec["color"] == "grey" else 3
    image = {
        "shape": _shape(spec["size"], spec["size"], channels),
        "dtype": "uint8",
        "encodingFormat": "png",
    }
    features = {"image": _feature("image_feature.Image", "image", image)}
    for name, (kind, shape) in schema.features(manifest).items():
        if kind is np.bytes_:
            features[name] = _feature("text_feature.Text", "text", {})
        else:
            # A single float is a list of one here.
            shape = (1,) if kind is np.float32 and not shape else shape
            features[name] = _tensor(kind.__name__, *shape)
    classes = {"numClasses": str(len(manifest["expressions"]))}
    features["expression"] = _feature(
        "class_label_feature.ClassLabel", "classLabel", classes
    )
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
