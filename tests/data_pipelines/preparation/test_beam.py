import os

import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests

pytest.importorskip("apache_beam", reason='needs Apache Beam: the extra "beam"')

from data_pipelines.preparation import beam  # noqa: E402

DIRECT = ["--runner=DirectRunner"]


def run(source, output, options=None, **kwargs):
    chosen = lambda *args: beam.run(*args, options=options)
    return prepare.prepare(
        source,
        str(output),
        crop_spec=source.crop_spec(),
        rows_a_chunk=8,
        run=chosen if options else None,
        **kwargs,
    )


def contents(folder):
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


@pytest.fixture(scope="module")
def source():
    return open_source("synthetic", "seed=4,examples=40,size=48")


@pytest.mark.parametrize("format", manifests.FORMATS)
def test_the_pipeline_writes_the_bytes_of_the_local_path(format, source, tmp_path):
    run(source, tmp_path / "local", format=format)
    seen = []
    run(
        source,
        tmp_path / "beam",
        DIRECT,
        format=format,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")
    assert seen == [(0, 40), (40, 40)]


def test_several_processes_write_them_too(source, tmp_path):
    run(source, tmp_path / "local")
    several = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    run(source, tmp_path / "beam", [*DIRECT, *several])
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")


def test_it_goes_on_with_what_a_local_run_began(source, tmp_path):
    def stop(chunks, progress, total):
        chunks[1].run()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare.prepare(
            source,
            str(tmp_path / "beam"),
            crop_spec=source.crop_spec(),
            rows_a_chunk=8,
            run=stop,
        )
    (done,) = (tmp_path / "beam" / ".work").glob("chunk-*.json")
    before = done.stat().st_mtime_ns
    shard = tmp_path / "beam" / "synthetic-train.tfrecord-00001-of-00005"
    written = shard.stat().st_mtime_ns
    assert before and written
    run(source, tmp_path / "beam", DIRECT)
    assert shard.stat().st_mtime_ns == written
    run(source, tmp_path / "local")
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")


def test_what_is_wrong_with_the_data_is_said_and_nothing_is_finished(tmp_path):
    (tmp_path / "in" / "train" / "happy").mkdir(parents=True)
    bad = tmp_path / "in" / "train" / "happy" / "Training_1.jpg"
    bad.write_bytes(b"<html>")
    source = open_source("fer2013", str(tmp_path / "in"))
    # Beam keeps the type of an error, or not: its text in any case.
    with pytest.raises((DataError, RuntimeError), match="happy/Training_1.jpg"):
        run(source, tmp_path / "out", DIRECT)
    assert not list((tmp_path / "out").glob("[!.]*"))
