import cv2
import numpy as np
import pytest

from data_pipelines.sources import DataError, Reject, Sample, open_source
from fer_tf import labels
from tests.source_trees import listed, put


def write(root, text):
    (root / "labels.csv").write_text(text)
    cv2.imwrite(str(root / "a.png"), np.zeros((50, 40, 3), np.uint8))
    return str(root / "labels.csv")


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def test_every_column_and_empty_cells(tmp_path):
    path = write(
        tmp_path,
        "\ufeffpath,expression,valence,arousal,AU1,au12,split,subject\n"
        'a.png,Happy,0.5,-1,1,0,train,anna\n"b, c.png",,,,,1,val,\n',
    )
    source = open_source("csv", path)
    (one, two), rejects = split(source)
    assert rejects == [] and source.folder is None
    assert (one.expression, one.valence, one.arousal) == ("happiness", 0.5, -1)
    assert one.action_units == {"AU1": 1, "AU12": 0} and one.subject == "anna"
    assert (two.path, two.split) == ("b, c.png", "validation")
    assert two.expression is two.valence is two.arousal is two.subject is None
    assert two.action_units == {"AU12": 1}
    assert source.load(one)[1].shape == (50, 40, 3)
    assert open_source("csv", str(tmp_path)).folder == str(tmp_path)


def test_groups_of_people(tmp_path):
    path = write(tmp_path, "path,group_Gender,group_age\na.png,Female,\nb.png,,30\n")
    (one, two), _ = split(open_source("csv", path))
    assert one.groups == {"gender": "Female"} and two.groups == {"age": "30"}
    with pytest.raises(DataError, match="'group_'"):
        open_source("csv", write(tmp_path, "path,group_\na.png,x\n"))


def test_any_subset_of_columns(tmp_path):
    (sample,), _ = split(open_source("csv", write(tmp_path, "path\na.png\n")))
    assert sample.to_dict() == {"sample_id": "a.png", "path": "a.png"}


def test_splits_of_people_who_have_none(tmp_path):
    people = "".join(f"{k}.png,s{k // 3}\n" for k in range(900))
    kept, _ = split(open_source("csv", write(tmp_path, "path,subject\n" + people)))
    splits = {}
    for sample in kept:
        splits.setdefault(sample.subject, set()).add(sample.split)
    assert all(len(names) == 1 for names in splits.values())
    share = sum(names == {"validation"} for names in splits.values()) / len(splits)
    assert 0.05 < share < 0.15

    rows = "".join(f"{k}.png,{'train' if k else 'test'}\n" for k in range(5))
    source = open_source("csv", write(tmp_path, "path,split\n" + rows))
    assert source.holdout == "pixels"
    text = "path,subject,split\n" + "".join(
        f"{k}.png,s{k},{'train' if k % 5 else 'test'}\n" for k in range(300)
    )
    source = open_source("csv", write(tmp_path, text))
    found = [s.split for s in split(source)[0]]
    assert source.holdout is None and 10 < found.count("validation") < 40


def test_a_row_without_a_split_follows_the_persons_other_rows(tmp_path):
    rows = "".join(f"{k}a.png,s{k},Val\n{k}b.png,s{k},\n" for k in range(30))
    rows += "x.png,t,train\ny.png,t,test\nz.png,t,\n"
    kept, (reject,) = split(
        open_source("csv", write(tmp_path, "path,subject,split\n" + rows))
    )
    found = {sample.path: sample.split for sample in kept}
    assert {found[f"{k}b.png"] for k in range(30)} == {"validation"}
    assert "subject 't' are in test, train" in reject.reason


def test_rows_without_a_person_are_held_out_by_their_pixels(tmp_path):
    rows = "".join(f"{k}.png,,{'train' if k else 'test'}\n" for k in range(5))
    rows += "5.png,someone,test\n"  # Says nothing of those who train.
    source = open_source("csv", write(tmp_path, "path,subject,split\n" + rows))
    assert source.holdout == "pixels"


def test_a_units_number_may_begin_with_a_zero(tmp_path):
    source = open_source("csv", write(tmp_path, "path,AU01,au2\na.png,1,0\n"))
    ((sample,), _), names = split(source), labels.ACTION_UNITS
    assert sample.action_units == {"AU1": 1, "AU2": 0} and source.action_units == names
    with pytest.raises(DataError, match="twice"):
        open_source("csv", write(tmp_path, "path,AU01,AU1\na.png,1,0\n"))


def test_valence_alone_costs_the_row_no_other_label(tmp_path):
    text = "path,expression,valence,arousal\na.png,fear,0.5,\nb.png,,,-1\n"
    (one, two), rejects = split(open_source("csv", write(tmp_path, text)))
    assert (one.expression, one.valence, one.arousal) == ("fear", None, None)
    assert (two.expression, two.valence, two.arousal) == (None, None, None)
    assert [(r.path, r.reason.split()[0], r.expected) for r in rejects] == [
        ("labels.csv, line 2", "valence", True), ("labels.csv, line 3", "arousal", True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line, reason",
    [
        ("../a.png,fear,0,0,0", "not a path inside"),
        (",fear,0,0,0", "not a path inside"),
        ("b.png,=1+1,0,0,0", "'=1+1' must begin with a letter or a digit"),
        ("b.png,fear,-2,0,0", "valence must lie"),
        ("b.png,fear,0,nan,0", "arousal must be a number"),
        ("b.png,fear,0,0,-1", "AU4 must be 0 or 1"),
        ("b.png,fear,0,0,0.5", "whole number"),
        ("b.png,fear,0,0", "4 fields, not 5"),
        ("a.png,fear,0,0,0", "second row"),
        ('"b.png,fear,0,0,0', "not a row of a CSV: unexpected end of data"),
        ('"b"x.png,fear,0,0,0', "not a row of a CSV"),
        ("x" * 200_000 + ".png,fear,0,0,0", "field larger than field limit"),
        ("b.png,fear,1_0,0,0", "valence must be a number"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line(tmp_path, line, reason):
    text = f"path,expression,valence,arousal,AU4\na.png,fear,0,0,0\n{line}\n"
    kept, (reject,) = split(open_source("csv", write(tmp_path, text)))
    assert len(kept) == 1 and reason in reject.reason
    assert reject.path == "labels.csv, line 3"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty"),
        ("path,expresion\n", "unknown column 'expresion'"),
        ("expression\nfear\n", "no column path"),
        (
            "path;expression\na.png;fear\n",
            "separated by semicolons; save it with commas",
        ),
        ("path,path\n", "comes twice"),
        (
            "path,valence\na.png,0.5\n",
            "valence and arousal, the header has valence alone",
        ),
        ("Path,Expresion\n", "unknown column 'Expresion'"),
        ("a,,path\n", "unknown column 'a'"),
        ("path,\n", "unknown column ''"),
        ("path\n" + "x" * 2**21, "longer than 1 MiB"),
    ],
)
def test_a_file_that_is_not_such_a_csv_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        list(open_source("csv", write(tmp_path, text)).rows())


def test_what_another_system_hides_is_no_second_csv(tmp_path):
    write(tmp_path, "path,expression\n")
    (tmp_path / "._labels.csv").write_bytes(b"\x00\x05\x16\x07")  # As macOS leaves.
    assert list(open_source("csv", str(tmp_path)).rows()) == []


def test_a_folder_must_hold_a_single_csv(tmp_path):
    with pytest.raises(DataError, match="0 CSVs"):
        open_source("csv", str(tmp_path))
    with pytest.raises(DataError, match="no such file"):
        open_source("csv", str(tmp_path / "absent"))


def test_absolute_paths_inside_the_folder_are_the_relative_ones(tmp_path):
    real = tmp_path / "real"
    (real / "x").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    # As the folder is called, as it is called in truth, and as Windows writes it.
    for root in (tmp_path / "link", real):
        lines = [f"{root}/a.png", f"{root}/x/b.png", f"{root}//x/./c.png", "d.png"]
        text = "path\n" + "\n".join(lines) + "\n"
        kept, rejects = split(open_source("csv", write(tmp_path / "link", text)))
        assert [s.sample_id for s in kept] == ["a.png", "x/b.png", "x/c.png", "d.png"]
        assert rejects == [] and all(s.path == s.sample_id for s in kept)
    text = f"path\n{real}2/a.png\n{real}/../a.png\n/etc/hostname\n{real}\n{real}/\n"
    kept, rejects = split(open_source("csv", write(real, text)))
    assert kept == [] and {r.kind for r in rejects} == {"unsafe_path"}


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "Unnamed: 0.1"])
def test_the_index_that_pandas_writes_is_passed_over(index, tmp_path):
    text = f"{index},path,expression\n0,a.png,fear\n1,b.png,\n"
    source = open_source("csv", write(tmp_path, text))
    kept, rejects = split(source)
    assert [s.path for s in kept] == ["a.png", "b.png"] and rejects == []
    assert kept[0].expression == "fear" and source.layout == "csv: path,expression"
    text = f"{index},Unnamed: 0,path\n0,0,a.png\n"
    assert len(split(open_source("csv", write(tmp_path, text)))[0]) == 1


def test_splits_have_the_names_that_folders_take_too(tmp_path):
    names = [
        "Train",
        "training",
        "val",
        "valid",
        "Validation",
        "dev",
        "test",
        "testing",
    ]
    rows = "".join(f"{name}.png,{name}\n" for name in names)
    source = open_source("csv", write(tmp_path, "path,split\n" + rows))
    kept, rejects = split(source)
    ours = ["train"] * 2 + ["validation"] * 4 + ["test"] * 2
    assert [sample.split for sample in kept] == ours and rejects == []
    assert source.holdout is None
    # Without any of the four, a tenth of train is held out.
    text = "path,split\na.png,training\nb.png,Testing\n"
    assert open_source("csv", write(tmp_path, text)).holdout == "pixels"


def test_other_values_make_all_values_classes_of_their_own(tmp_path):
    path = write(tmp_path, "path,expression\na.png,happy\nb.png,bored\nc.png,\n")
    source = open_source("csv", path)
    assert source.expressions == ("bored", "happy")
    assert [s.expression for s in split(source)[0]] == ["happy", "bored", None]
    source = open_source("csv", path, classes="happy,other:bored")
    assert source.expressions == ("happy", "other")
    assert [s.expression for s in split(source)[0]] == ["happy", "other", None]
    with pytest.raises(DataError, match="labels.csv: 'happy' is none of --classes=a"):
        open_source("csv", path, classes="a,bored")


def test_latin_1_names_are_rejects_and_a_byte_order_mark_is_none(tmp_path):
    text = "path,expression\n\xfcber.png,fear\nb.png,fear\n"
    put(str(tmp_path), "labels.csv", text.encode("latin-1"))
    _, kept, (reject,) = listed("csv", tmp_path)
    assert [s.path for s in kept] == ["b.png"] and reject.reason == "not valid UTF-8"
    put(str(tmp_path), "labels.csv", text.encode("utf-8-sig"))
    assert [s.path for s in listed("csv", tmp_path)[1]] == ["\xfcber.png", "b.png"]
