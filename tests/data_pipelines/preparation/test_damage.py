"""A thousand damaged pictures: each is in the records or among the rejects."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from data_pipelines import synthetic
from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.faces.images import read_image

FACES = [
    synthetic.draw(k, synthetic.SyntheticOptions(size=160)).image for k in range(8)
]


def flipped(data, rng):
    data = bytearray(data)
    for place in rng.integers(len(data), size=rng.choice([1, 5, 40])):
        data[place] = rng.integers(256)
    return bytes(data)


def truncated(data, rng):
    return data[: rng.integers(len(data))]


def bomb(data, rng):
    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(90_001)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


DAMAGES = {
    "flipped": flipped,
    "truncated": truncated,
    "zeros": lambda data, rng: data[:200] + bytes(len(data) - 200),
    "doubled": lambda data, rng: data + data,
    "noise": lambda data, rng: rng.bytes(500),
    "empty": lambda data, rng: b"",
    "page": lambda data, rng: b"<html><body>404</body></html>",
    "bomb": bomb,
    "whole": lambda data, rng: data,
}


def write_damaged(root, count):
    rng = np.random.default_rng(7)
    encoded = [
        cv2.imencode(extension, face[..., ::-1])[1].tobytes()
        for face in FACES
        for extension in (".jpg", ".png", ".webp", ".bmp", ".tiff")
    ]
    for number in range(count):
        kind = list(DAMAGES)[number % len(DAMAGES)]
        data = DAMAGES[kind](encoded[rng.integers(len(encoded))], rng)
        folder = root / ("happy", "sad")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        # An ending is no promise.
        ending = ("jpg", "png", "webp", "gif")[number % 4]
        (folder / f"{number:04d}-{kind}.{ending}").write_bytes(data)


@pytest.mark.parametrize(
    "detector, count",
    [("none", 1000), pytest.param("mtcnn", 1000, marks=pytest.mark.long)],
)
def test_every_picture_is_read_or_rejected_with_its_reason(detector, count, tmp_path):
    write_damaged(tmp_path / "in", count)
    manifest = prepare.prepare(
        open_source("folder", str(tmp_path / "in")), str(tmp_path / "out"),
        crop_spec=CROP_SPECS["meen"], detector=detector,
    )  # fmt: skip
    reasons = {reject["path"]: reject["reason"] for reject in manifest["rejects"]}
    assert manifest["num_examples"] + len(reasons) == count
    assert sum(manifest["cropped"].values()) == manifest["num_examples"]
    for path, reason in reasons.items():
        assert (tmp_path / "in" / path).is_file()
        assert reason and len(reason) < 60 and "\n" not in reason
    of = {kind: [] for kind in DAMAGES}
    for path, reason in reasons.items():
        of[path.rpartition("-")[2].partition(".")[0]].append(reason)
    each = count // len(DAMAGES)
    assert not of["whole"] and not of["doubled"]  # What follows a picture is ignored.
    assert len(of["empty"]) >= each and set(of["empty"]) == {"empty file"}
    assert set(of["page"]) == {"an HTML page, not an image"}
    assert set(of["bomb"]) == {"more than 110 megapixels"}
    assert len(of["noise"]) >= each and len(of["truncated"]) > 0.8 * each


def test_all_eight_orientations_give_one_picture(tmp_path):
    turn = Image.Transpose  # What a camera held so does to an upright picture.
    stored = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE, 6: turn.ROTATE_90, 7: turn.TRANSVERSE, 8: turn.ROTATE_270,
    }  # fmt: skip
    upright = Image.fromarray(FACES[3][:150])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = upright
        if orientation in stored:
            turned = upright.transpose(stored[orientation])
        turned.save(tmp_path / f"{orientation}.png", exif=exif)
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_image(str(path)), np.asarray(upright))
