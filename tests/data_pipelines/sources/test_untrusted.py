"""What comes in label files and archives from outside, tried on every source."""

import math
import os
import random

import numpy as np
import pytest

from data_pipelines.sources import DataError
from data_pipelines.sources.paths import clean_path
from data_pipelines.sources.sample import SPLITS
from tests.source_trees import (
    LABELLED,
    NAMED,
    TREES,
    affectnet,
    affectnet_npy,
    ckplus,
    facenonface,
    fer2013_folders,
    ferplus_folders,
    folder,
    listed,
    picture,
    put,
    rafdb,
    table,
)

ids = lambda tree: tree.__name__
every_tree = pytest.mark.parametrize("tree", TREES, ids=ids)
labelled_trees = pytest.mark.parametrize("tree", LABELLED, ids=ids)


def write(tree, root, names=None):
    own = ("train_00001.jpg", "test_0001.jpg") if tree is rafdb else ("a.png", "b.png")
    return tree(str(root), names or own)


@every_tree
def test_the_trees_are_whole(tree, tmp_path):
    dataset, _, _ = write(tree, tmp_path)
    source, kept, rejects = listed(dataset, tmp_path)
    assert len(kept) >= 2 and rejects == []
    for sample in kept:
        assert source.load(sample)[1].shape[:2] == (48, 48)


@pytest.mark.parametrize(
    "name",
    ["../a.png", "/etc/passwd", "C:\\a.png", "c:a.png", "sub\\..\\..\\a.png", "a\0.png",
     "a\x1b[2J.png", ".", "x/../../a.png", "\\\\host\\a.png"],
)  # fmt: skip
@pytest.mark.parametrize("tree", NAMED, ids=ids)
def test_paths_that_lead_out_are_rejects(tree, name, tmp_path):
    good = "test_0001.jpg" if tree is rafdb else "b.png"
    if tree is rafdb:  # Whose file is no CSV, and whose names are all alike.
        name = name.replace("a.png", "train_00002.jpg")
    dataset, _, _ = write(tree, tmp_path, (name, good))
    _, kept, (reject,) = listed(dataset, tmp_path)
    assert len(kept) == 1 or tree is affectnet
    assert not reject.expected and "line" in reject.path
    assert reject.kind == "unsafe_path" or tree is rafdb
    assert all(".." not in sample.path.split("/") for sample in kept)


@every_tree
def test_links_out_of_the_folder_are_not_followed(tree, tmp_path):
    root = tmp_path / "data"
    outside = tmp_path / "secret"
    dataset, label, path = write(tree, root)
    if path:
        picture(str(tmp_path), "secret")
        (root / path).unlink()
        (root / path).symlink_to(outside)
        source, kept, _ = listed(dataset, root)
        (sample,) = [s for s in kept if s.path == path]
        with pytest.raises(DataError, match="leads out of the data folder"):
            source.load(sample)
    if label:
        os.replace(root / label, outside)
        (root / label).symlink_to(outside)
        try:
            _, kept, rejects = listed(dataset, root)
        except DataError as error:
            assert "leads out of the data folder" in str(error)
        else:
            assert "leads out" in rejects[0].reason
            assert rejects[0].kind == "unsafe_path"


@labelled_trees
def test_a_label_file_that_is_a_pipe_or_a_folder_does_not_hang(tree, tmp_path):
    dataset, label, _ = write(tree, tmp_path)
    (tmp_path / label).unlink()
    for make in (os.mkfifo, os.mkdir):
        make(tmp_path / label)
        try:
            _, _, rejects = listed(dataset, tmp_path)
            # Of CK+, where most sequences have none, it is as if there were none.
            assert rejects and (not rejects[0].expected or tree is ckplus)
        except DataError as error:
            assert "\n" not in str(error)
        (tmp_path / label).unlink() if make is os.mkfifo else None


@pytest.mark.parametrize("content", [b"", "a,b\n1,2\n".encode("utf-16")])
@labelled_trees
def test_empty_files_and_foreign_encodings_are_told(tree, content, tmp_path):
    dataset, label, _ = write(tree, tmp_path)
    put(str(tmp_path), label, content)
    try:
        _, kept, rejects = listed(dataset, tmp_path)
    except DataError as error:
        assert len(str(error).splitlines()) == 1
        return
    if tree is ferplus_folders and not content:
        assert len(kept) == 1  # That of the other split; an empty list is a list.
        return
    assert rejects and not rejects[0].expected and rejects[0].reason.isprintable()


@pytest.mark.parametrize("tree", [fer2013_folders, affectnet_npy, ckplus, folder,
                                  facenonface], ids=ids)  # fmt: skip
def test_names_on_disk_that_are_no_plain_text(tree, tmp_path):
    dataset, _, path = write(tree, tmp_path)
    head, ending = os.path.splitext(path)
    for byte in (b"\xff", b"\x1b"):
        odd = os.path.join(os.fsencode(tmp_path), os.fsencode(head) + byte)
        with open(odd + ending.encode(), "wb"):
            pass
    try:
        _, kept, rejects = listed(dataset, tmp_path)
    except DataError as error:
        assert tree is fer2013_folders and str(error).isprintable()
        return
    assert all(sample.sample_id.isprintable() for sample in kept)
    found = [r for r in rejects if "no plain UTF-8" in r.reason]
    # Of CK+'s frames the last three are used.
    assert len(found) == (1 if tree is ckplus else 2)
    assert all(r.path.isprintable() for r in rejects)


HAZARDS = [b"../..", b"/etc", b"C:\\", b"\0", b"nan", b"1e400", b"-1", b"1_0", b'"',
           b"\xff\xfe", b"\xe9", b",,,", b"\r", b"\n\n", b"0x10", b"1.5", b"x" * 70_000,
           b"99999999999999999999"]  # fmt: skip


def damaged(content, chance):
    """One of the ways in which a file goes bad."""
    lines, kind = content.split(b"\n"), chance.randrange(5)
    if kind == 0:
        for _ in range(chance.choice([1, 5, 40])):
            place = chance.randrange(len(content))
            content = (
                content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
            )
        return content
    if kind == 1:
        return content[: chance.randrange(len(content) + 1)]
    if kind == 2:
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
        return b"\n".join(lines)
    row, separator = chance.randrange(len(lines)), chance.choice([b",", b" "])
    fields = lines[row].split(separator)
    fields[chance.randrange(len(fields))] = chance.choice(HAZARDS)
    lines[row] = separator.join(fields)
    return b"\n".join(lines)


def check(sample, source):
    assert sample.split in (None, *SPLITS)
    assert sample.path is None or clean_path(sample.path) == sample.path
    assert sample.expression in (None, *source.expressions)
    for value in (sample.valence, sample.arousal):
        assert value is None or -1 <= value <= 1
    assert set((sample.action_units or {}).values()) <= {0, 1}
    assert sample.landmarks is None or np.isfinite(sample.landmarks).all()
    assert sample.box is None or all(map(math.isfinite, sample.box))


@labelled_trees
def test_damaged_label_files_give_valid_samples_rejects_or_one_line(tree, tmp_path):
    dataset, label, _ = write(tree, tmp_path)
    whole, chance = (tmp_path / label).read_bytes(), random.Random(3)
    for _ in range(60):
        content = damaged(whole, chance)
        (tmp_path / label).write_bytes(content)
        try:
            source, kept, rejects = listed(dataset, tmp_path)
        except DataError as error:
            assert len(str(error)) < 500 and "\n" not in str(error)
            continue
        for sample in kept:
            check(sample, source)
        assert len({sample.sample_id for sample in kept}) == len(kept)
        assert all(len(r.reason) < 400 and "\n" not in r.reason for r in rejects)
        if tree in (rafdb, table):
            # Nothing is lost: a row is a sample or a reject.
            text = content.decode("utf-8-sig", "replace").split("\n")
            rows = sum(bool(line.strip("\r").strip()) for line in text)
            assert len(kept) + len(rejects) == rows - (tree is table)
