"""One npz a split: prepared data for a machine that has no TensorFlow.

`trainers.prepare --format=npz` writes `<dataset>-<split>.npz` and the same
manifest as for records, with `"format": "npz"`; `shards` names the files, one a
split. `numpy.load(path, allow_pickle=False)` reads them. All arrays of a file
have the N examples of the split as first axis, in the order in which the shards of
records hold them. `S` is the crop's side, `C` 1 (grey) or 3 (RGB), `K`, `A`
and `L` the manifest's number of expressions, of action units and of landmarks:

    image                   uint8    (N, S, S, C)   as the model takes it, undecoded
    sample_id               bytes    (N,)           UTF-8, as tf.data gives strings
    subject, video, groups  bytes    (N,)           b"" where unknown; groups is JSON
    frame                   int64    (N,)           -1 where unknown
    key                     int64    (N,)           what augmentation is keyed on
    expression              int64    (N,)           index into manifest["expressions"]
    expression_weight       float32  (N,)
    votes                   float32  (N, K)         of FER+ alone: shares of them
    valence_arousal         float32  (N, 2)         in [-1, 1]
    valence_arousal_weight  float32  (N,)
    action_units            float32  (N, A)         0 or 1
    action_units_weight     float32  (N, A)
    is_face                 int64    (N,)           0 or 1
    is_face_weight          float32  (N,)
    landmarks               float32  (N, L, 2)      (x, y) in pixels of the crop
    landmarks_weight        float32  (N,)

These are the names and values of a batch of `data_pipelines.pipeline` before any
op; a label that is not annotated is 0 and its weight 0. The arrays are stored, not
compressed, so reading costs their size in memory and no more time than the disk.
"""

import contextlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from data_pipelines import atomic
from data_pipelines.sources.sample import DataError


@contextlib.contextmanager
def writer(path: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yields a function that takes an example; all are written at the end, if any."""
    examples = []
    yield examples.append
    if examples:
        write(path, examples)


def write(path: str, examples: Sequence[Mapping[str, Any]]) -> None:
    """Writes examples, as `records.to_features` gives them, in order.

    The bytes of the file depend on the examples alone. At least one is needed.
    """
    columns = {
        name: _column([example[name] for example in examples]) for name in examples[0]
    }
    with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **columns)


def merge(parts: Sequence[str], path: str) -> None:
    """Joins the files of some examples each to one of all, in order.

    One column of one part is in memory at a time, however many there are.
    """
    with atomic.replacing(path) as temporary:
        with zipfile.ZipFile(temporary, "w", allowZip64=True) as target:
            with np.load(parts[0], allow_pickle=False) as file:
                names = file.files
            for name in names:
                # No date of today's: that of `ZipInfo` is always the same.
                info = zipfile.ZipInfo(f"{name}.npy")
                with target.open(info, "w", force_zip64=True) as member:
                    _join(parts, name, member)


def read(path: str) -> dict[str, np.ndarray]:
    """All arrays of a file.

    Raises:
        DataError: If it is not a whole file of this kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a whole npz ({error})") from error


def examples(path: str) -> Iterator[dict[str, Any]]:
    """The examples of a file, one at a time.

    Raises:
        DataError: If it is not a whole file of this kind.
    """
    columns = read(path)
    for row in zip(*columns.values()):
        yield dict(zip(columns, row))


def _column(values):
    first = values[0]
    if isinstance(first, str):
        return np.array([value.encode() for value in values])
    if isinstance(first, int):
        return np.array(values, np.int64)
    if isinstance(first, float):
        return np.array(values, np.float32)
    return np.stack(values)


def _join(parts, name, member):
    """Writes a column's header and then the rows of every part."""
    dtypes, count, shape = [], 0, ()
    for part in parts:
        with np.load(part, allow_pickle=False) as file:
            column = file[name]
        dtypes.append(column.dtype)
        count, shape = count + len(column), column.shape[1:]
    # Texts are as wide as the widest of all parts.
    dtype = np.result_type(*dtypes)
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (count, *shape),
    }
    np.lib.format.write_array_header_1_0(member, header)
    for part in parts:
        with np.load(part, allow_pickle=False) as file:
            member.write(np.ascontiguousarray(file[name], dtype).tobytes())
