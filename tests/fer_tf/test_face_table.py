import re
from pathlib import Path

from fer_tf import face_table, labels

SEVEN = labels.EXPRESSIONS[:7]
PAGE = Path(__file__).parents[2] / "trainers" / "prediction" / "README.md"


def test_what_a_model_does_not_predict_has_no_column():
    plain = face_table.columns({"expressions": SEVEN})
    assert not {"contempt", "valence", "AU1", "face_probability"} & set(plain)
    assert not {"frame", "time", "person", "track", "unsure"} & set(plain)
    assert {"condition", "circumplex_valence", *SEVEN} <= set(plain)
    only_units = face_table.columns({"action_units": ["AU1"]}, unsure=True)
    assert not {"expression", "unsure", "circumplex_valence"} & set(only_units)
    own = face_table.columns({"expressions": SEVEN, "valence": ["valence"]})
    assert not {"arousal", "circumplex_valence", "circumplex_arousal"} & set(own)


def test_a_video_has_times_people_and_readings_of_each_frame_alone():
    names = {"expressions": SEVEN, "action_units": ["AU1"]}
    kind = dict(pictures=False, videos=True)
    smoothed = face_table.columns(names, smoothed=True, **kind)
    assert {"time", "person", "track", "fear", "fear_raw", "AU1_raw"} <= set(smoothed)
    assert "condition" not in smoothed
    plain = face_table.columns(names, **kind)
    assert set(smoothed) - set(plain) == {f"{n}_raw" for n in (*SEVEN, "AU1")}


def test_the_circumplex_is_derived_only_where_every_expression_with_norms_is_known():
    assert face_table.has_circumplex({"expressions": labels.EXPRESSIONS})
    assert not face_table.has_circumplex({"expressions": SEVEN[:6]})
    for own in ("valence", "arousal"):
        assert not face_table.has_circumplex({"expressions": SEVEN, own: [own]})


def test_a_row_is_a_face_with_its_points_raw_readings_and_person():
    face = dict(
        box=[1, 2, 3, 4], landmarks=[[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]],
        confidence=0.95, track=3, unsure=True, probabilities=dict(fear=0.5),
        unsmoothed=dict(probabilities=dict(fear=0.25), valence=-1.0),
    )  # fmt: skip
    record = dict(source="/c.mp4", frame=7, time=0.28, error=None)
    one, other = face_table.rows(record | dict(faces=[face, face | {"person": 1}]))
    assert (one["face"], other["face"], one["frame"], one["time"]) == (1, 2, 7, 0.28)
    assert (one["track"], one.get("person"), other["person"]) == (3, None, 1)
    assert (one["left_eye_x"], one["nose_x"], one["mouth_right_y"]) == (0, 4, 9)
    assert (one["fear"], one["fear_raw"], one["valence_raw"]) == (0.5, 0.25, -1.0)
    assert (one["unsure"], one["face_score"]) == (1, 0.95)
    assert "confidence" not in one and one["condition"] is None
    (empty,) = face_table.rows(record | dict(faces=[], error="no face found"))
    assert empty["error"] == "no face found" and "fear" not in empty


def test_the_condition_is_the_first_folder_below_the_input():
    rows = lambda source: next(face_table.rows(dict(source=source, faces=[])))
    found = [rows(s)["condition"] for s in ("a.png", "sad/a.png", "sad/x/a.png")]
    assert found == ["", "sad", "sad"]


def test_the_codebook_explains_every_column():
    page = PAGE.read_text(encoding="utf-8")
    explained = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    explained = set(re.findall(r"\w+", " ".join(explained)))
    names = dict(expressions=labels.EXPRESSIONS, action_units=["AU1"], faces=[1])
    kind = dict(videos=True, smoothed=True, unsure=True)
    own = names | {"valence_arousal": ("valence", "arousal")}
    all_of = {*face_table.columns(names, **kind), *face_table.columns(own, **kind)}
    plain = {name for name in all_of if not name.endswith("_raw")}
    assert plain <= explained, plain - explained
    assert not explained - plain - {"NAME_raw"}, explained - plain
