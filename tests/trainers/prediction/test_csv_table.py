import csv
import types

from fer_tf import labels
from trainers.prediction import csv_table, record_lines
from trainers.training import tensorboard

OTHER = (*labels.EXPRESSIONS[:7], "other")


def card(expressions=labels.EXPRESSIONS, action_units=labels.ACTION_UNITS):
    return types.SimpleNamespace(expressions=expressions, action_units=action_units)


def test_columns_are_the_same_for_every_usual_model_and_grow_for_others():
    usual = csv_table.columns(card())
    assert usual == csv_table.columns(card(labels.EXPRESSIONS[:7]))
    more = csv_table.columns(card(OTHER, labels.ACTION_UNITS_2022))
    assert set(more) - set(usual) == {"other", "AU7", "AU10", "AU23", "AU24", "AU26"}
    assert [name for name in more if name in usual] == usual


def test_a_face_networks_reading_is_there(tmp_path):
    face = dict(box=[1, 2, 3, 4], face_probability=0.9, enlargement=1.0)
    record = dict(source="a.jpg", faces=[face], error=None)
    path = str(tmp_path / "p.csv")
    csv_table.write(path, [record], card())
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
    csv_table.write(path, [record], card(OTHER, labels.ACTION_UNITS_2022))
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["expression"], row["other"], row["AU26"]) == ("other", "0.75", "0.5")
    assert row["contempt"] == "" and row["AU1"] == ""


def test_a_class_that_is_called_like_a_column_has_its_own(tmp_path):
    names = ("source", "Error", "valence", "fear")
    face = dict(box=[1, 2, 3, 4], expression="source", valence=-0.5)
    face["probabilities"] = dict(zip(names, (0.4, 0.3, 0.2, 0.1)))
    path = str(tmp_path / "p.csv")
    csv_table.write(path, [dict(source="a.jpg", faces=[face])], card(names))
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
    csv_table.write(path, records, card(("=HYPERLINK(1)",)))
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
