import csv

import pytest

from fer_tf import face_table, labels
from trainers.prediction import csv_table, record_lines
from trainers.training import tensorboard

OTHER = (*labels.EXPRESSIONS[:7], "other")


def columns(expressions=(), **names):
    return face_table.columns({"expressions": expressions, **names})


def test_a_face_networks_reading_is_there(tmp_path):
    face = dict(box=[1, 2, 3, 4], face_probability=0.9, enlargement=1.0)
    record = dict(source="a.jpg", faces=[face], error=None)
    path = str(tmp_path / "p.csv")
    csv_table.write(path, [record], columns(faces=("no face", "face")))
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["face_probability"] == "0.9"
    assert record_lines.in_words(record) == "a.jpg: face 90%"


def test_a_models_own_names_are_not_lost(tmp_path):
    face = dict(
        box=[1, 2, 3, 4], expression="other", probabilities=dict(other=0.75),
        action_units=dict(AU26=0.5),
    )  # fmt: skip
    path = str(tmp_path / "p.csv")
    record = dict(source="a.jpg", faces=[face])
    units = labels.ACTION_UNITS_2022
    csv_table.write(path, [record], columns(OTHER, action_units=units))
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["expression"], row["other"], row["AU26"]) == ("other", "0.75", "0.5")
    assert row["fear"] == "" and row["AU1"] == "" and "contempt" not in row


def test_a_class_that_is_called_like_a_column_has_its_own(tmp_path):
    names = ("source", "Error", "valence", "fear")
    face = dict(box=[1, 2, 3, 4], expression="source", valence=-0.5)
    face["probabilities"] = dict(zip(names, (0.4, 0.3, 0.2, 0.1)))
    path = str(tmp_path / "p.csv")
    record = dict(source="a.jpg", faces=[face])
    csv_table.write(path, [record], columns(names, valence=("valence",)))
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["source"], row["error"], row["valence"]) == ("a.jpg", "", "-0.5")
    own = [row[f"{name} (class)"] for name in ("source", "Error", "valence")]
    assert own == ["0.4", "0.3", "0.2"] and row["fear"] == "0.1"


def test_a_face_is_named_in_the_vocabulary_of_its_data():
    columns = dict(expression=[7], expression_weight=[1.0])
    assert tensorboard.caption(columns, 0, OTHER) == "other"


def test_every_text_is_quoted_and_no_cell_begins_a_formula(tmp_path):
    """Read back by a reader that ends a row at any carriage return outside quotes."""
    texts = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "a\r=1+1,2", " =1", "",
             "\uff1d1", 'say "no"', "a,b", "a\nb", "plain.png"]  # fmt: skip
    face = dict(box=[1, 2, 3, 4], expression="=HYPERLINK(1)", confidence=0.5)
    face["probabilities"] = {"=HYPERLINK(1)": 0.75}
    records = [dict(source=text, error=text, faces=[]) for text in texts]
    records.append(dict(source="b.png", error=None, faces=[face]))
    path = str(tmp_path / "p.csv")
    csv_table.write(path, records, columns(("=HYPERLINK(1)",)))
    with open(path, newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    assert len(rows) == len(records) and {len(row) for row in rows} == {len(names)}
    risky = tuple("=+-@\t\r\n\uff1d")
    cells = [cell for row in (names, *rows) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(risky)]
    rows = [dict(zip(names, row)) for row in rows]
    for text, row in zip(texts, rows):
        assert row["source"] == row["error"] and row["source"] in (text, "'" + text)
    assert rows[7]["source"] == "a\r=1+1,2" and rows[9]["source"] == ""
    assert rows[-1]["expression"] == "'=HYPERLINK(1)"
    assert rows[-1]["'=HYPERLINK(1)"] == "0.75"
    with open(path, "rb") as file:
        outside = file.read().split(b'"')[::2]  # What no quotes enclose.
    assert not [part for part in outside if set(part) - set(b",.\n0123456789")]


def table(tmp_path):
    """A written table of two pictures; the name of one holds an end of a line."""
    face = dict(box=[1, 2, 3, 4], landmarks=[[1.5, 2]] * 5, confidence=0.9,
                expression="fear", probabilities=dict(fear=0.75),
                action_units=dict(AU1=0.25))  # fmt: skip
    records = [
        dict(source="one/a\n,.png", faces=[face], error=None),
        dict(source="b.png", faces=[], error="no face found"),
    ]
    path = str(tmp_path / "predictions.csv")
    csv_table.write(path, records, columns(["fear"], action_units=["AU1", "AU12"]))
    return path


@pytest.mark.parametrize(
    "style, expected",
    [("openface", dict(confidence="0.9", AU01_p="0.25", AU12_p="", x="1")),
     ("pyfeat", dict(FaceScore="0.9", AU01="0.25", FaceRectX="1",
                     FaceRectHeight="4", input="one/a\n,.png"))],
)  # fmt: skip
def test_the_names_of_others(style, expected, tmp_path):
    path = table(tmp_path)
    with open(path, newline="", encoding="utf-8") as file:
        before = list(csv.reader(file))
    csv_table.rename(path, style)
    with open(path, newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    assert rows == before[1:]
    row = dict(zip(names, rows[0]))
    assert {name: row[name] for name in expected} == expected
    assert row["fear"] == "0.75" and row["condition"] == "one"


def test_parquet_holds_the_same(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(csv_table.to_parquet(table(tmp_path))).to_pylist()
    assert rows[0]["source"] == "one/a\n,.png" and rows[0]["fear"] == 0.75
    assert rows[0]["error"] == "" and rows[1]["error"] == "no face found"
    assert rows[1]["fear"] is None and rows[1]["condition"] == ""
