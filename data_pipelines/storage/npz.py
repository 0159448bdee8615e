"""One npz per split: prepared data for a machine that has no TensorFlow.

`trainers.prepare --format=npz` writes `<dataset>-<split>.npz` and the same
manifest as for records, with `"format": "npz"`; `shards` names the files, one
per split. `numpy.load(path, allow_pickle=False)` reads them. All arrays of a file
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
    votes                   float32  (N, K)         FER+ only: shares of raters' votes
    valence_arousal         float32  (N, 2)         in [-1, 1]
    valence_arousal_weight  float32  (N,)
    action_units            float32  (N, A)         0 or 1
    action_units_weight     float32  (N, A)
    is_face                 int64    (N,)           0 or 1
    is_face_weight          float32  (N,)
    landmarks               float32  (N, L, 2)      (x, y) in pixels of the crop
    landmarks_weight        float32  (N,)

These are the names and values of a batch of `data_pipelines.batches.pipeline` before
any op; a label that is not annotated is 0 and its weight 0. The arrays are stored, not
compressed, so reading costs their size in memory and no more time than the disk.
"""

import contextlib
import math
import os
import struct
import tokenize
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.storage import schema
from data_pipelines.storage.shards import Shard
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.utils import atomic

# Of a member of a zip, behind its first four bytes and before its name.
_MEMBER = struct.Struct("<2xHH8xIIHH")
_IN_EXTRA, _UTF8, _MOST_MEMBERS = 0xFFFFFFFF, 0x800, 64


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
    """Joins npz files into one, in order.

    One column of one part is in memory at a time, however many there are.
    """
    with atomic.replacing(path) as temporary:
        with zipfile.ZipFile(temporary, "w", allowZip64=True) as target:
            with np.load(parts[0], allow_pickle=False) as file:
                names = file.files
            for name in names:
                # `ZipInfo`'s date is constant, so the bytes are the same every day.
                info = zipfile.ZipInfo(f"{name}.npy")
                with target.open(info, "w", force_zip64=True) as member:
                    _join(parts, name, member)


def read(path: str, manifest: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """The arrays of a file, of the types, shapes and values that are listed above.

    Nothing is taken from the file that was not asked for, so that no more is read
    than it holds. The pictures stay on the disk and are mapped into memory.

    Args:
        path: Of the file.
        manifest: Of its folder.
        count: Examples that the manifest says it has.

    Raises:
        DataError: If it is not such a file.
    """
    spec = CropSpec.from_dict(manifest["crop_spec"])
    wanted = {
        "image": (np.uint8, (spec.size, spec.size, spec.channels)),
        **schema.features(manifest),
    }
    columns = {}
    try:
        with open(path, "rb") as file:
            places = _members(file)
            for name, (kind, shape) in wanted.items():
                if name not in places:
                    raise ValueError(f"{name} is missing")
                columns[name] = _array(file, name, places[name], kind, (count, *shape))
    except _DAMAGE as error:
        reason = str(error).splitlines()[0][:200] if str(error) else "damaged"
        raise DataError(f"{path}: not a whole npz ({reason})") from error
    schema.check(columns, manifest, path)
    return columns


def examples(shard: Shard) -> Iterator[dict[str, Any]]:
    """The examples of a file, one at a time.

    Raises:
        DataError: If it is not such a file.
    """
    columns = read(shard.path, shard.manifest, shard.num_examples)
    for row in zip(*columns.values()):
        yield dict(zip(columns, row))


# What NumPy's reader of headers raises over bytes that are none.
_DAMAGE = (
    ValueError, OSError, EOFError, TypeError, KeyError, OverflowError, SyntaxError,
    MemoryError, RecursionError, struct.error, tokenize.TokenError,
)  # fmt: skip


def _members(file):
    """Where the content of each array lies: `{name: (offset, length)}`.

    The zip is walked from its beginning: members that are stored, one behind the
    other, cannot overlap or be larger than the file.
    """
    end, offset, places = os.fstat(file.fileno()).st_size, 0, {}
    while offset < end:
        file.seek(offset)
        if file.read(4) != b"PK\x03\x04":
            break
        flags, method, packed, size, length, extra = _MEMBER.unpack(file.read(26))
        name = file.read(length)
        if packed == size == _IN_EXTRA:
            kind, _, size, packed = struct.unpack("<HHQQ", file.read(20))
            if kind != 1:
                raise ValueError("a member has no size")
        start = offset + 30 + length + extra
        offset = start + size
        if method or flags & ~_UTF8 or packed != size:
            raise ValueError("a member is not stored as it is")
        if offset > end or len(places) > _MOST_MEMBERS:
            raise ValueError("a member does not lie in the file")
        places[name.decode().removesuffix(".npy")] = start, size
    return places


def _array(file, name, place, kind, shape):
    """An array of the file, if it is one of this type and shape."""
    start, length = place
    file.seek(start)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{name}: another version of npy")
    stated, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    # A text is as wide as the longest.
    wanted = dtype if kind is np.bytes_ and dtype.kind == "S" else np.dtype(kind)
    if dtype != wanted or dtype.itemsize == 0 or stated != shape or fortran_order:
        raise ValueError(f"{name} must be {np.dtype(kind).name} of shape {shape}")
    offset, number = file.tell(), math.prod(shape)
    if offset + number * dtype.itemsize != start + length:
        raise ValueError(f"{name} has not the length of its shape")
    if name == "image":
        return np.memmap(file.name, dtype, "r", offset=offset, shape=shape)
    return np.fromfile(file, dtype, number).reshape(shape)


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
