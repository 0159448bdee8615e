"""Samples -> aligned crops -> shards and a manifest.

The work is dealt into chunks (`preparation.chunks`), which run in processes of this
machine (`preparation.pool`) or on a cluster (`preparation.beam`). Interrupted anywhere
and started again, with any number of workers, it ends with the same bytes. The manifest
is written last: a folder without one is not finished.
"""

import contextlib
import functools
import glob
import os
import shutil
from collections.abc import Callable

from data_pipelines.preparation import finish, plan, pool, tfds
from data_pipelines.preparation.chunks import WORK, Chunk, spool
from data_pipelines.preparation.cropping import Cropping
from data_pipelines.sources import DataError, Source
from data_pipelines.sources.source import require_outside
from data_pipelines.storage import manifests, shards
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.utils import atomic
from fer_tf.utils.atomic import locked

_ROWS_A_CHUNK = 2048
# Searching for faces takes long, so even a few pictures are spread over the workers:
# up to this many chunks, of at least so many rows (two calls of the detector). They are
# joined to as many shards as other chunks would be.
_SEARCHED_CHUNKS = 64
_SEARCHED_ROWS = 32
# An npz holds a whole split and has to fit into memory for training.
_LARGEST_NPZ = 8 * 2**30


def prepare(
    source: Source,
    output: str,
    *,
    crop_spec: CropSpec,
    detector: str = "none",
    on_no_face: str = "box",
    format: str = "tfrecord",
    workers: int = 1,
    rows_a_chunk: int = _ROWS_A_CHUNK,
    notice: Callable[[str], None] = lambda text: None,
    listed: Callable[[int], None] = lambda rows: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    run: Callable[..., list[dict]] | None = None,
) -> dict:
    """Writes a prepared folder; continues one that was interrupted.

    Args:
        source: Where the samples come from.
        output: Folder to write. An unfinished one is finished. A finished one is
            compared with its manifest and left alone; where a file is damaged or
            missing, the folder is prepared again.
        crop_spec: How a crop is made; written into the manifest.
        detector: How the face is located; see `Cropping`.
        on_no_face: What happens where none is found; see `Cropping`.
        format: `tfrecord`, or `npz` for what fits into memory (8 GiB of pixels).
        workers: Processes. The result does not depend on it.
        rows_a_chunk: About how many rows the shards of each split share, at most.
        notice: Called with the fault of a file in a finished folder.
        listed: Called with the rows that the source has listed so far.
        progress: Then called with rows done and rows in all.
        run: Runs the chunks in place of `pool.run`, and is called like it.

    Returns:
        The manifest.

    Raises:
        DataError: If the source is damaged, empty, too large for the format, or
            not the one that the folder was begun with.

    >>> import tempfile
    >>> from data_pipelines.sources import open_source
    >>> source = open_source("synthetic", "examples=4,size=48")
    >>> with tempfile.TemporaryDirectory() as output:
    ...     prepare(source, output, crop_spec=source.crop_spec())["cropped"]
    {'whole': 4}
    """
    require_outside(source, output)
    cropping = Cropping(crop_spec, detector, on_no_face)
    wanted = plan.describe(source, cropping, format, rows_a_chunk)
    work = os.path.join(output, WORK)
    if os.path.exists(os.path.join(output, manifests.NAME)):
        manifest = manifests.read(output)
        plan.require_same(manifest["plan"], wanted, output)
        # The last run may have been killed between the manifest and the clearing up.
        shutil.rmtree(work, ignore_errors=True)
        problem = _problem(output, manifest)
        if problem is None:
            return manifest
        notice(f"{problem}; the folder is prepared again")
        os.makedirs(work)
        atomic.write_json(os.path.join(work, plan.NAME), wanted)
        os.remove(os.path.join(output, manifests.NAME))
    _check_empty(output, work)
    new_folders = [folder for folder in (work, output) if not os.path.exists(folder)]
    os.makedirs(work, exist_ok=True)
    with locked(os.path.join(work, "lock")):
        try:
            _begin(work, wanted, output)
            _clear(output, work)
            run = run or functools.partial(pool.run, workers=workers)
            rows = spool(source, work, listed)
            manifest = _prepare(source, cropping, output, wanted, rows, progress, run)
            atomic.write_json(os.path.join(output, manifests.NAME), manifest)
        except DataError:
            # Nothing stays of a source that cannot be read; begun work stays.
            _remove_unused(new_folders)
            raise
        finally:
            _clear(output, work)
        # Under the lock: nobody else may begin in a folder that is being removed.
        shutil.rmtree(work)
    return manifest


def _problem(output, manifest):
    """The fault of a finished folder's files; None if there is none."""
    for shard in shards.listed(output, manifest):
        if problem := shards.problem(shard):
            return problem
    beside = tfds.FILES if manifest["format"] == "tfrecord" else ()
    for path in (os.path.join(output, name) for name in beside):
        if not os.path.isfile(path):
            return f"{path}: missing"
    return None


def _remove_unused(folders):
    """Removes new folders in which no chunk of the work is done."""
    if folders and not glob.glob(os.path.join(folders[0], "chunk-*")):
        shutil.rmtree(folders[0], ignore_errors=True)
        for folder in folders[1:]:
            with contextlib.suppress(OSError):  # Not empty.
                os.rmdir(folder)


def _prepare(source, cropping, output, wanted, rows, progress, run):
    """Does the rest of the work; returns the manifest."""
    count, rejects = rows
    num_listed = count + len(rejects)
    _check_memory(count, wanted["format"], cropping.crop_spec)
    shards = max(1, -(-count // wanted["rows_a_chunk"]))
    num_chunks = _num_chunks(count, shards, cropping.detector)
    chunks = [
        Chunk(source, cropping, output, wanted["format"], number, num_chunks, shards)
        for number in range(num_chunks)
    ]
    summaries = run(chunks, progress, count)
    rejects += [reject for summary in summaries for reject in summary["rejects"]]
    if not finish.class_counts(summaries):
        finish.remove_empty(chunks, {})
        shutil.rmtree(os.path.join(output, WORK))
        text = f"{source.name}: none of {num_listed} rows is usable"
        for first in rejects[:1]:
            text += f"; the first: {first['path']}: {first['reason']}"
        raise DataError(text)
    manifest = finish.manifest_of(chunks, summaries, rejects, wanted)
    if wanted["format"] == "tfrecord":
        tfds.describe(output, manifest)
    return manifest


def _check_empty(output, work):
    """Refuses a folder that holds files of others."""
    if os.path.exists(os.path.join(work, plan.NAME)):
        return
    with contextlib.suppress(FileNotFoundError):
        foreign = [n for n in os.listdir(output) if n != WORK and ".part-" not in n]
        if foreign:
            raise DataError(f"{output}: not empty (holds {foreign[0]}); choose another")


def _check_memory(rows, format, crop_spec):
    size = rows * crop_spec.size**2 * crop_spec.channels
    if format == "npz" and size > _LARGEST_NPZ:
        raise DataError(
            f"{rows:,} crops of {crop_spec.size}x{crop_spec.size} {crop_spec.color} "
            f"are {size / 2**30:.1f} GiB; an npz, meant to fit into memory, takes "
            f"{_LARGEST_NPZ / 2**30:.0f} GiB at most; use --format=tfrecord"
        )


def _begin(work, wanted, output):
    """Writes the plan, or checks that work which is there was begun with it."""
    path = os.path.join(work, plan.NAME)
    begun = [n for n in os.listdir(work) if n.startswith("chunk-")]
    begun += [n for n in os.listdir(output) if n != WORK and ".part-" not in n]
    if begun:
        plan.require_same(atomic.read_json(path), wanted, output)
    atomic.write_json(path, wanted)


def _clear(*folders):
    """Removes the unfinished files of killed processes."""
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(folder):
                if name.startswith(".part-"):
                    os.remove(os.path.join(folder, name))


def _num_chunks(rows, shards, detector):
    if detector != "mtcnn":
        return shards
    return max(shards, min(_SEARCHED_CHUNKS, -(-rows // _SEARCHED_ROWS)))
