"""Every format says what Keras says, in a process that has none of our code."""

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from fer_tf import models
from fer_tf.export import check as export_proof
from fer_tf.export import formats, litert, saved_model
from fer_tf.faces.alignment import to_color
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.faces.images import read_image
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card, read_card
from fer_tf.utils.hashing import sha256

ARGUMENTS = dict(width=0.125, blocks=1, stage_filters=[16])
HAS_ONNX = all(
    importlib.util.find_spec(name) for name in ("tf2onnx", "onnx", "onnxruntime")
)
needs_onnx = pytest.mark.skipif(
    not HAS_ONNX, reason="needs tf2onnx and onnxruntime: pip install 'fer-tf[export]'"
)
FORMATS = ["saved_model", "litert_float32", "litert_int8", "keras"]
FORMATS += ["onnx"] if HAS_ONNX else []
# Where none of our packages can be imported.
FRESH = """
import json, os, sys
root, folder, crops, found = sys.argv[1:]
sys.path = [p for p in sys.path if p not in ("", root)]
for name in ("fer_tf", "data_pipelines", "trainers", "keras"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
crops = np.load(crops)
signatures = tf.saved_model.load(folder).signatures
serve = signatures["serving_default"]
batch = serve(crops=tf.constant(crops))["probabilities"].numpy()
one = np.concatenate(
    [serve(crops=tf.constant(c[None]))["probabilities"].numpy() for c in crops])
encoded = tf.stack([tf.io.encode_png(c) for c in crops])
from_bytes = signatures["serve_bytes"](encoded=encoded)["probabilities"].numpy()
ways = dict(batch=batch, one=one, from_bytes=from_bytes)
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    Interpreter = tf.lite.Interpreter
for name in ("model", "model_int8"):
    interpreter = Interpreter(os.path.join(folder, name + ".tflite"))
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    output = runner.get_output_details()["probabilities"]
    rows = [runner(crops=c[None])["probabilities"] for c in crops]
    scale, zero = output["quantization"]
    values = np.concatenate(rows).astype("float64")
    ways[name] = (values - zero) * scale if scale else values
    ways[name + "_types"] = sorted(
        {d["dtype"].__name__ for d in interpreter.get_tensor_details()})
if os.path.exists(os.path.join(folder, "model.onnx")):
    import onnxruntime
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"))
    (ways["onnx"],) = session.run(["probabilities"], {"crops": crops})
np.savez(found, **ways)
text = {k: v.numpy() for k, v in signatures["describe"]().items()}
print(json.dumps({"expressions": [e.decode() for e in text["expressions"]],
                  "action_units": [e.decode() for e in text["action_units"]],
                  "crop_spec": json.loads(text["crop_spec"]),
                  "notes": text["notes"].decode()}))
"""


def random_crops(count, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6, 1))
    fine = rng.integers(-40, 40, (count, 48, 48, 1))
    return np.clip(coarse.repeat(8, 1).repeat(8, 2) + fine, 0, 255).astype(np.uint8)


def trained(folder, views="ten_crop"):
    """A small model that is sure of what it says, and loaded from its folder."""
    keras.utils.set_random_seed(0)
    model = models.create_model("small_resnet", **ARGUMENTS)
    kernel = model.get_layer("expression").kernel
    kernel.assign(6.0 * kernel)
    card = Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views=views, average="logits",
    )  # fmt: skip
    model_folder.save(str(folder), model, card)
    return model_folder.load(str(folder))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    model, lines = trained(folder / "trained"), []
    described = formats.export_model(
        model, str(folder / "out"), formats=FORMATS, crops=random_crops(20),
        labels=np.zeros(20, int), calibration=random_crops(40, seed=1),
        source="noise", calibrated_on="other noise", extra={"note": 1},
        report=lines.append,
    )  # fmt: skip
    assert [line.split(":")[0] for line in lines] == list(described["formats"])
    return model, folder / "out"


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported[1])).signatures


def by_hand(model, crops):
    """Ten windows of each crop, cut in NumPy; softmax of the mean of their logits."""
    windows = []
    for crop in crops.astype(np.float32):
        corners = [crop[i : i + 44, j : j + 44] for i in (0, 4) for j in (0, 4)]
        corners.append(crop[2:46, 2:46])
        windows += corners + [corner[:, ::-1] for corner in corners]
    logits = np.asarray(model(np.array(windows), training=False)["expression"])
    mean = logits.reshape(len(crops), 10, 7).mean(1).astype(np.float64)
    powers = np.exp(mean - mean.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.slow
def test_they_run_in_a_fresh_process_without_our_code(exported, tmp_path):
    model, folder = exported
    crops = random_crops(6, seed=2)
    np.save(tmp_path / "crops.npy", crops)
    result = subprocess.run(
        [sys.executable, "-c", FRESH, os.getcwd(), folder, tmp_path / "crops.npy",
         tmp_path / "found.npz"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    described = json.loads(result.stdout.splitlines()[-1])
    assert described["expressions"] == list(model.card.expressions[:7])
    assert described["action_units"] == []
    assert described["crop_spec"] == json.loads(json.dumps(model.crop_spec.to_dict()))
    assert "EXIF" in described["notes"]

    expected = by_hand(model, crops)
    assert expected.std() > 0.1, "a model that says nothing proves nothing"
    found = np.load(tmp_path / "found.npz")
    for way in ("batch", "one", "from_bytes", "model") + ("onnx",) * HAS_ONNX:
        np.testing.assert_allclose(found[way], expected, atol=1e-5, err_msg=way)
    assert np.abs(found["model_int8"] - expected).mean() < 0.02
    assert not any("float" in name for name in found["model_int8_types"])


def test_the_card_holds_what_was_measured(exported):
    model, folder = exported
    described = read_card(str(folder))
    assert described["note"] == 1
    assert described["checked_on"] == {"crops": 20, "source": "noise"}
    assert described["calibrated_on"] == "other noise"
    both = described["formats"]["saved_model"]["encoded"]
    assert both["crops"] == 32 and max(both["largest_difference"].values()) < 1e-5
    assert set(described["formats"]) == set(FORMATS)
    expected = by_hand(model, random_crops(20))
    (rows, scale, zero) = _int8_rows(folder, random_crops(20))
    gaps = np.abs((rows.astype(np.float64) - zero) * scale - expected)
    check = described["formats"]["litert_int8"]
    assert check["largest_difference"]["probabilities"] == pytest.approx(
        gaps.max(), abs=1e-5
    )
    assert check["mean_difference"]["probabilities"] == pytest.approx(
        gaps.mean(), abs=1e-5
    )
    same = rows.argmax(1) == expected.argmax(1)
    assert check["agreement"] == pytest.approx(same.mean())
    assert check["keras_accuracy"] == pytest.approx((expected.argmax(1) == 0).mean())
    text = (folder / "README.md").read_text()
    assert "`serve_bytes`, on 32 pictures made of them, PNG and JPEG, grey and " in text
    assert "The ranges of `litert_int8` were set by: other noise." in text
    for path, facts in described["files"].items():
        assert facts["sha256"] == sha256(str(folder / path))
        assert facts["bytes"] == (folder / path).stat().st_size
        assert facts["sha256"] in text
    kept = {p for p in folder.rglob("*") if p.is_file()}
    named = {folder / path for path in described["files"]}
    own = {folder / n for n in ("model.json", "README.md", "model.weights.h5")}
    assert kept == named | own


def _int8_rows(folder, crops):
    interpreter = litert.interpreter(str(folder / "model_int8.tflite"))
    runner = interpreter.get_signature_runner()
    rows = np.concatenate([runner(crops=c[None])["probabilities"] for c in crops])
    return rows, *runner.get_output_details()["probabilities"]["quantization"]


def test_names_travel_inside_the_files(exported):
    model, folder = exported
    for name in ("model.tflite", "model_int8.tflite"):
        with zipfile.ZipFile(folder / name) as archive:
            inside = json.loads(archive.read("names.json"))
        assert inside["expressions"] == list(model.card.expressions[:7])
        assert inside["crop_spec"]["size"] == 48


@needs_onnx
def test_names_travel_inside_the_onnx_file(exported):
    import onnxruntime

    model, folder = exported
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    inside = session.get_modelmeta().custom_metadata_map
    assert json.loads(inside["expressions"]) == list(model.card.expressions[:7])
    assert json.loads(inside["crop_spec"])["size"] == 48
    assert session.get_inputs()[0].shape == ["batch", 48, 48, 1]


def test_the_folder_loads_as_a_model_again(exported):
    model, folder = exported
    for path in (folder, folder / "model.keras"):
        again = model_folder.load(path)
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert again.card == model.card


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(file, kind, **options)
    return file.getvalue()


def colours(side, seed=0):
    """Patches of saturated colours with noise: hard for JPEG."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (side // 6, side // 6, 3)).repeat(6, 0).repeat(6, 1)
    noise = rng.integers(-30, 30, patches.shape)
    return np.clip(patches + noise, 0, 255).astype(np.uint8)


ENCODINGS = {
    f"{mode} {kind} {options}": (mode, kind, options)
    for mode in ("L", "RGB")
    for kind, options in (
        ("JPEG", {"quality": 90, "subsampling": 0}),
        ("JPEG", {"quality": 75, "subsampling": 2}),
        ("JPEG", {"quality": 60, "subsampling": 1, "progressive": True}),
        ("JPEG", {"quality": 95, "optimize": True}),
        ("PNG", {}),
    )
}
ENCODINGS |= {f"{mode} PNG": (mode, "PNG", {}) for mode in ("1", "P", "RGBA")}


@pytest.mark.parametrize("way", ENCODINGS)
def test_bytes_are_read_as_read_image_reads_them(exported, signatures, way):
    """Not close: the same pixels, whatever the picture is encoded as."""
    mode, kind, options = ENCODINGS[way]
    pictures = [Image.fromarray(colours(48, seed)).convert(mode) for seed in range(6)]
    given = [encoded(picture, kind, **options) for picture in pictures]
    crops = np.stack([to_color(read_image(one), "grey") for one in given])
    expected = signatures["serving_default"](crops=tf.constant(crops))["probabilities"]
    found = signatures["serve_bytes"](encoded=tf.constant(given))["probabilities"]
    assert np.ptp(expected, axis=0).max() > 1e-4, "must depend on the picture"
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found, by_hand(exported[0], crops), atol=1e-5)


def test_every_colour_becomes_the_grey_of_opencv():
    """All 16.7 million, by the numbers that the graph holds."""
    every = np.arange(256, dtype=np.uint8)
    for red in (*range(0, 256, 17), 1, 254):
        rows = np.stack(np.meshgrid([red], every, every, indexing="ij"), -1)[0]
        rows = rows.astype(np.uint8)
        parts = (rows.astype(int) * saved_model._GREY).sum(-1)
        grey = (parts + (1 << (saved_model._GREY_BITS - 1))) >> (saved_model._GREY_BITS)
        np.testing.assert_array_equal(grey, to_color(rows, "grey")[..., 0])


def test_bytes_that_would_be_read_otherwise_are_refused(signatures):
    serve = signatures["serve_bytes"]
    grey, colour = random_crops(1)[0, ..., 0], Image.fromarray(colours(48))
    clear = colour.convert("RGBA")
    clear.putalpha(Image.fromarray(grey))
    key = int(grey[0, 0])
    refused = {
        "a PNG must have 8 bits a channel at most": [encoded(grey.astype("u2") * 257)],
        "a PNG must not be transparent": [
            encoded(clear), encoded(clear.convert("LA")),
            encoded(Image.fromarray(grey), transparency=key),
            encoded(clear.quantize(64)),
        ],
        "a JPEG must not be CMYK": [encoded(colour.convert("CMYK"), "JPEG")],
    }  # fmt: skip
    for message, pictures in refused.items():
        for picture in pictures:
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                serve(encoded=tf.constant([picture]))


@pytest.mark.parametrize("shape", [(1, 48, 48, 3), (1, 24, 96, 1), (4, 24, 24, 1)])
def test_crops_of_another_shape_are_refused(signatures, shape):
    """Three channels would be three faces to a graph that reshapes them."""
    serve = signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        serve(crops=tf.zeros(shape, tf.uint8))
    assert serve.structured_input_signature[1]["crops"].shape == (None, 48, 48, 1)


def test_the_fast_way_of_decoding_would_not_be_kept(exported, tmp_path, monkeypatch):
    """The export's own check sees a JPEG that is decoded in another way."""
    model, _ = exported
    exact = tf.io.decode_jpeg
    monkeypatch.setattr(tf.io, "decode_jpeg", lambda x, **_: exact(x, channels=3))
    with pytest.raises(ValueError, match="saved_model, serve_bytes: prob.* differs"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(8))
    assert list(tmp_path.iterdir()) == []


def test_bytes_of_another_size_and_colour_are_brought_to_the_crops(signatures):
    serve = signatures["serve_bytes"]
    crop = np.full((48, 48), 90, np.uint8)
    colour = np.full((100, 100, 3), 90, np.uint8)
    same = [encoded(crop), encoded(colour), encoded(crop, "JPEG")]
    found = serve(encoded=tf.constant(same))["probabilities"].numpy()
    np.testing.assert_allclose(found[1:], found[[0, 0]], atol=1e-3)


@pytest.mark.parametrize("side", [30, 100, 221])
def test_bytes_of_another_size_are_resized_as_pillow_does(signatures, side):
    serve = signatures["serve_bytes"]
    y, x = np.mgrid[:side, :side] / side
    image = (127 + 60 * np.sin(5 * x) + 60 * np.cos(7 * y)).astype(np.uint8)
    small = Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR)
    given = tf.constant([encoded(image), encoded(np.asarray(small))])
    found = serve(encoded=given)["probabilities"].numpy()
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)


def test_the_signature_of_bytes_caps_what_it_takes(signatures):
    serve = signatures["serve_bytes"]
    good = encoded(np.zeros((48, 48), np.uint8))
    bomb = bytearray(encoded(np.zeros((8, 8), np.uint8)))
    bomb[16:24] = (30_000).to_bytes(4, "big") * 2
    hostile = {
        "at most 256 a call": [good] * 257,
        "at most 4194304 bytes": [good + bytes(saved_model.MAX_BYTES)],
        "at most 4194304 pixels": [bytes(bomb)],
        "must be JPEG or PNG": [encoded(np.zeros((8, 8), np.uint8), "GIF")],
        "(?i)png": [good[:40]],
    }
    for message, value in hostile.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            serve(encoded=tf.constant(value))
    assert serve(encoded=tf.constant([good]))["probabilities"].shape == (1, 7)


def test_a_file_that_differs_is_not_kept(exported, tmp_path, monkeypatch):
    model, _ = exported
    as_it_is = formats.FORMATS["saved_model"]

    def off(folder, crops, card):
        outputs = as_it_is.run(folder, crops, card)
        return {name: value + 2e-4 for name, value in outputs.items()}

    monkeypatch.setitem(formats.FORMATS, "saved_model", as_it_is._replace(run=off))
    with pytest.raises(ValueError, match="saved_model: probabilities differs .*0.0002"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"formats": ["onxx"]}, "`formats` must be of saved_model, .*onxx"),
        ({"crops": np.zeros((2, 44, 44, 1), np.uint8)}, "`crops` must be uint8"),
        ({"crops": np.zeros((0, 48, 48, 1), np.uint8)}, "`crops` must be uint8"),
        ({"crops": np.zeros((2, 48, 48, 1))}, "`crops` must be uint8"),
    ],
)
def test_what_cannot_be_exported_is_refused(arguments, match, exported, tmp_path):
    model, _ = exported
    arguments = {"crops": random_crops(3), **arguments}
    with pytest.raises(ValueError, match=match):
        formats.export_model(model, str(tmp_path / "out"), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_needs_more_than_a_crop_is_refused(exported, tmp_path):
    image = keras.Input((44, 44, 1), name="image")
    masks = keras.Input((14, 14, 8), name="masks")
    logits = keras.layers.Dense(7)(keras.layers.Flatten()(image))
    model = keras.Model([image, masks], {"expression": logits}, name="guided")
    model.card = exported[0].card
    with pytest.raises(ValueError, match="guided takes image, masks: only a model"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(3))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_over(exported):
    model, folder = exported
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(ValueError, match="exists already"):
        formats.export_model(model, str(folder), crops=random_crops(3))
    assert sorted(p.name for p in folder.iterdir()) == before


def test_a_failure_leaves_nothing_behind(exported, tmp_path, monkeypatch):
    model, _ = exported

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_folder, "save", full)
    with pytest.raises(OSError) as caught:
        formats.export_model(
            model, str(tmp_path / "out"), formats=["keras"], crops=random_crops(3)
        )
    assert caught.value.filename == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_differences_by_hand():
    expected = {"probabilities": np.array([[0.6, 0.4], [0.3, 0.7]])}
    found = {"probabilities": np.array([[0.4, 0.6], [0.3, 0.7]])}
    report = export_proof.compare(found, expected, np.array([0, 1]))
    assert report["crops"] == 2
    assert report["largest_difference"] == {"probabilities": pytest.approx(0.2)}
    assert report["mean_difference"] == {"probabilities": pytest.approx(0.1)}
    assert (report["agreement"], report["accuracy"], report["keras_accuracy"]) == (
        0.5, 0.5, 1.0,
    )  # fmt: skip
    limit = export_proof.Limit(largest=0.25, mean=0.15, agreement=0.5)
    export_proof.require(report, limit, "x")
    for change in ({"largest": 0.15}, {"mean": 0.05}, {"agreement": 0.6}):
        tight = export_proof.Limit(**{**vars(limit), **change})
        with pytest.raises(ValueError, match="^x: .*not written$"):
            export_proof.require(report, tight, "x")


def test_beyond_one_the_limits_are_in_proportion():
    expected = {"valence_arousal": np.array([[200.0, 0.0]])}
    close = {"valence_arousal": np.array([[200.01, 0.0]])}
    limit = export_proof.Limit(largest=1e-4, mean=1e-4, agreement=0.9)
    export_proof.require(export_proof.compare(close, expected), limit, "x")
    off = {"valence_arousal": np.array([[200.03, 0.0]])}
    with pytest.raises(ValueError, match="by 0.03 .*more than 0.02"):
        export_proof.require(export_proof.compare(off, expected), limit, "x")


def test_a_file_that_its_runtime_refuses_is_not_kept(exported, tmp_path, monkeypatch):
    model, _ = exported

    def refuses(folder, crops, card):
        raise RuntimeError("Node number 16 (CONV_2D) failed to prepare.\nmore")

    form = formats.FORMATS["keras"]._replace(run=refuses)
    monkeypatch.setitem(formats.FORMATS, "keras", form)
    with pytest.raises(ValueError, match=r"^keras: its runtime refuses it .*16.*\)$"):
        formats.export_model(
            model, str(tmp_path / "out"), formats=["keras"], crops=random_crops(3)
        )
    assert list(tmp_path.iterdir()) == []


def test_a_nan_is_as_different_as_can_be():
    expected = {"valence_arousal": np.zeros((1, 2))}
    found = {"valence_arousal": np.array([[0.0, np.nan]])}
    report = export_proof.compare(found, expected)
    with pytest.raises(ValueError, match="differs from Keras' by inf"):
        export_proof.require(report, export_proof.QUANTIZATION, "x")
    with pytest.raises(ValueError, match="but Keras gives"):
        export_proof.compare({"valence": np.zeros((1, 1))}, expected)


def test_calibration_without_black_or_white_will_do(tmp_path):
    """Such as drawn faces', for a model whose windows leave the corners out."""
    model = trained(tmp_path / "trained", views="center_mirror")
    crops = np.clip(random_crops(20), 20, 230)
    formats.export_model(
        model, str(tmp_path / "out"), formats=["litert_int8"], crops=crops,
        labels=None, calibration=crops, source="noise", report=lambda line: None,
    )  # fmt: skip
    interpreter = litert.interpreter(str(tmp_path / "out" / "model_int8.tflite"))
    assert interpreter.get_input_details()[0]["quantization"] == (1, 0)
