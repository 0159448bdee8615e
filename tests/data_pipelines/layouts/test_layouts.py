import os
import re

import numpy as np
import pytest

from data_pipelines import layouts, synthetic
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from fer_tf import labels
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS
from tests.data_pipelines.layouts.drawn import EXAMPLES, OPTIONS, SEED, lines, split
from trainers import synthesize

OWN_VALIDATION = ("fer2013", "fer2013_folders", "ferplus", "folder", "csv")
AFFWILD2 = ("affwild2", "affwild2_2022")
every = pytest.mark.parametrize("name", OPTIONS)


def key(name, sample):
    """The picture's name in what `write` returns: its row, in a CSV."""
    if name in ("fer2013", "ferplus"):
        return str(int(re.search(r"\d+$", sample.sample_id)[0]))
    return sample.path


def expected_picture(name, sample, image, face):
    """The part of a loaded picture that was drawn, and the drawing."""
    if name in AFFWILD2:
        points = alignment.landmarks5(face.landmarks)
        return image, alignment.align(face.image, points, CROP_SPECS["zhang2020"])
    if name in ("affectnet", "rafdb", "ckplus") and sample.landmarks is not None:
        points = np.array(sample.landmarks)
        shown = alignment.landmarks5(points) if len(points) == 37 else points
        drawn = alignment.landmarks5(face.landmarks) if len(points) == 37 else (
            face.landmarks
        )  # fmt: skip
        corner = np.round((shown - drawn).mean(axis=0)).astype(int)
        # Every point moved alike: they were not shuffled on the way.
        np.testing.assert_allclose(shown - corner, drawn, atol=0.02)
        side = face.image.shape[0]
        (left, top), (right, bottom) = corner, corner + side
        if sample.box:
            x, y, width, height = sample.box
            inside = (points >= (x, y)) & (points <= (x + width, y + height))
            assert inside.all() and width < side and height < side
        return image[top:bottom, left:right], face.image
    return (image if image.ndim == 3 else image[..., None]), face.image


@pytest.mark.slow
@every
def test_pictures_and_labels_survive_the_trip(name, written):
    root, drawn = written(name)
    source = open_source(name.split("_")[0], root)
    kept, rejects = split(source)
    assert not [r for r in rejects if not r.expected], rejects
    assert len(kept) > 0.4 * EXAMPLES
    options = synthetic.SyntheticOptions(seed=SEED, **OPTIONS[name])
    for sample in kept[:: 1 + len(kept) // 40]:
        index, intensity = drawn[key(name, sample)]
        face = synthetic.draw(index, options, intensity=intensity)
        if sample.split is not None and name not in (*AFFWILD2, "ckplus"):
            wanted = synthetic.split_of(face.subject, SEED)
            if name not in OWN_VALIDATION and wanted == "validation":
                wanted = "train"
            assert sample.split == wanted
        loaded, image = source.load(sample)
        found, wanted = expected_picture(name, sample, image, face)
        difference = np.abs(found.astype(float) - wanted.astype(float)).mean()
        # A JPEG of a noisy picture is a few grey levels off; another face is 30.
        assert difference < 8, (sample.sample_id, difference)
        check_labels(name, loaded, face, intensity)


@pytest.mark.slow
@every
def test_every_layout_is_verified_and_prepared(name, written, tmp_path):
    root, _ = written(name)
    options = {"classes": 8} if name == "affwild2_2022" else {}
    source = open_source(name.split("_")[0], root, **options)
    kept, rejects = split(source)
    report = verification.verify_source(source)
    # A small copy has fewer pictures than the owner's, and nothing else is wrong.
    found = {finding["kind"] for finding in report["findings"]}
    assert found <= {"count", "left_out"} and report["num_pictures"] == len(kept)
    spec = source.crop_spec()
    output = str(tmp_path / "records")
    manifest = prepare.prepare(source, output, crop_spec=spec)
    assert manifest["num_examples"] == len(kept)
    assert len(manifest["rejects"]) == len(rejects)
    assert verification.verify_prepared(output)["counts"] == manifest["counts"]
    if name == "affwild2_2022":
        assert manifest["expressions"][-1] == "other" and len(
            manifest["expressions"]
        ) == 8  # fmt: skip
        assert manifest["counts"]["train"]["other"] > 0
        assert manifest["action_units"] == (
            "AU1 AU2 AU4 AU6 AU7 AU10 AU12 AU15 AU23 AU24 AU25 AU26".split()
        )


def check_labels(name, sample, face, intensity):
    expression = (
        None if face.expression is None else labels.EXPRESSIONS[face.expression]
    )
    if name == "facenonface":
        assert sample.is_face == face.is_face
        return
    if name in AFFWILD2 and intensity < 0.5:
        expression = "neutral"
    if name in AFFWILD2 and sample.expression is None:
        expression = None  # Marked as not valid.
    assert sample.expression == expression
    if name in ("affectnet", "affectnet_npy", "csv") or sample.valence is not None:
        for found, wanted in ((sample.valence, face.valence),
                              (sample.arousal, face.arousal)):  # fmt: skip
            assert found == (
                None if wanted is None else pytest.approx(wanted, abs=6e-4)
            )
    if sample.action_units is not None:
        drawn = dict(zip(labels.ACTION_UNITS, face.action_units.tolist()))
        common = set(drawn) & set(sample.action_units)
        assert len(common) >= 7  # The twelve of later challenges lack AU20.
        assert all(sample.action_units[unit] == drawn[unit] for unit in common)
    elif name == "csv":
        assert face.action_units is None


@pytest.mark.parametrize("name", ["ferplus", "rafdb"])
def test_the_same_seed_gives_the_same_files(name, written, tmp_path):
    root, drawn = written(name)
    again = str(tmp_path / "again")
    assert layouts.write(name, again, examples=EXAMPLES, seed=SEED) == drawn
    source = name.removesuffix("_npy")
    assert (
        open_source(source, again).fingerprint == open_source(source, root).fingerprint
    )


def test_class_numbers_are_the_owners(written):
    # Owner's order of each, from its own documentation; -1: it has no such class.
    # neutral, happiness, sadness, surprise, fear, disgust, anger
    orders = {"affectnet": (0, 1, 2, 3, 4, 5, 6), "rafdb": (7, 4, 5, 1, 2, 3, 6)}
    options = synthetic.SyntheticOptions(seed=SEED, **OPTIONS["rafdb"])
    root, drawn = written("rafdb")
    for line in lines(root, "basic/EmoLabel/list_patition_label.txt"):
        name, label = line.split()
        index, _ = drawn[f"basic/Image/original/{name}"]
        assert int(label) == orders["rafdb"][synthetic.draw(index, options).expression]
    options = synthetic.SyntheticOptions(seed=SEED, **OPTIONS["affectnet"])
    root, drawn = written("affectnet")
    for line in lines(root, "training.csv")[1:]:
        path, label = line.split(",")[0], int(line.split(",")[6])
        face = synthetic.draw(drawn[f"Manually_Annotated_Images/{path}"][0], options)
        if face.expression is not None:
            assert label == orders["affectnet"][face.expression]
        else:
            assert label == (
                10 if not face.is_face else 9 if face.valence is None else 8
            )


def test_an_output_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("precious")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        layouts.write("folder", str(tmp_path / "full"), examples=2)
    assert (tmp_path / "full" / "thesis.docx").read_text() == "precious"

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        layouts.write("folder", str(tmp_path / "new"), examples=2, progress=stop)
    assert os.listdir(tmp_path) == ["full"]
    (tmp_path / "new").mkdir()
    assert len(layouts.write("folder", str(tmp_path / "new"), examples=2)) == 2
    assert sorted(os.listdir(tmp_path)) == ["full", "new"]
    with pytest.raises(ValueError, match="examples=0"):
        layouts.write("folder", str(tmp_path / "none"), examples=0)


def test_every_layout_can_be_asked_for():
    assert set(layouts.LAYOUTS) == set(OPTIONS)
    assert "trainers.prepare" in synthesize.__doc__
