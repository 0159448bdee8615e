"""The page's JavaScript beside the Python that it repeats; the page in a browser."""

import contextlib
import dataclasses
import functools
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading

import cv2
import numpy as np
import pytest

from fer_tf.chain.patches import patches
from fer_tf.export import static_page
from fer_tf.faces import alignment, boxes, pyramid
from fer_tf.faces.crop_spec import CROP_SPECS
from tests.testing_utils import run_command
from trainers.common import sample_photograph

PAGE = pathlib.Path(static_page.__file__).parent / "page"
MEEN = CROP_SPECS["meen"]


def ran(code, **given):
    """What JavaScript prints of values, with everything of faces.js at hand."""
    if shutil.which("node") is None:
        pytest.skip("needs Node.js")
    program = (
        f"import * as faces from {json.dumps((PAGE / 'faces.js').as_uri())};"
        "let text = ''; for await (const part of process.stdin) text += part;"
        f"const given = JSON.parse(text); console.log(JSON.stringify({code}));"
    )
    result = subprocess.run(
        ["node", "--input-type=module", "--eval", program],
        input=json.dumps(given), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def picture(image):
    height, width = image.shape[:2]
    return {"width": width, "height": height, "data": image.ravel().tolist()}


def noise(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("size", [(11, 300), (48, 48), (333, 421), (1080, 1920)])
def test_scales(size):
    found = ran("faces.scales(...given.size, 20, 0.709)", size=size)
    np.testing.assert_allclose(found, pyramid.scales(*size, 20, 0.709), rtol=1e-12)


@pytest.mark.parametrize("to", [(60, 44), (31, 17), (5, 80), (90, 80)])
def test_a_smaller_picture_averages_areas(to):
    image = noise(90, 80)
    height, width = to
    code = "[...faces.shrunk(given.image, given.width, given.height).data]"
    found = ran(code, image=picture(image), width=width, height=height)
    size = (width, height)
    expected = cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(found, expected.ravel(), atol=0.01)


@pytest.mark.parametrize("over_smaller", [False, True])
def test_suppression(over_smaller):
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 60, (200, 2))
    some = np.concatenate([corners, corners + rng.integers(1, 40, (200, 2))], axis=1)
    found = ran(
        "faces.suppress(given.some, 0.4, given.smaller)",
        some=some.tolist(), smaller=over_smaller,
    )  # fmt: skip
    expected = boxes.suppress(some.astype(float), 0.4, over_smaller=over_smaller)
    assert found == expected.tolist() and 10 < len(found) < 190


def test_patches():
    image = noise(50, 70)
    rng = np.random.default_rng(2)
    corners = rng.uniform(-20, 60, (20, 2))
    some = np.concatenate([corners, corners + rng.uniform(5, 50, (20, 1))], axis=1)
    found = ran(
        "[...faces.patches(given.image, given.some, 24)]",
        image=picture(image), some=some.tolist(),
    )  # fmt: skip
    fractions = some[:, [1, 0, 3, 2]] / (50, 70, 50, 70)
    expected = patches(image, fractions.astype(np.float32), 24)
    # Places in float32 there, in float64 here; grey beyond the rim in both.
    differs = np.abs(np.reshape(found, expected.shape) - expected)
    assert np.quantile(differs, 0.999) < 0.01 and (expected == 127.5).mean() > 0.05


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.6])
@pytest.mark.parametrize(
    "spec",
    [MEEN, CROP_SPECS["zhang2020"],
     dataclasses.replace(CROP_SPECS["zhang2020"], channel_order="bgr", size=40)],
    ids=lambda spec: f"{spec.name}-{spec.channel_order}",
)  # fmt: skip
def test_a_crop(spec, scale):
    """Turned, enlarged or shrunk, and across the picture's rim."""
    image = noise(160, 140)
    turn = 0.8 * np.array([[1, -0.3], [0.3, 1]])
    points = alignment.template_points(MEEN) * scale @ turn.T + (20, 15)
    points[2] += (1.5, -1)
    found = ran(
        "[...faces.crop(given.image, given.points, given.spec)]",
        image=picture(image), points=points.tolist(), spec=spec.to_dict(),
    )  # fmt: skip
    expected = alignment.align(image, points, spec)
    differs = np.abs(np.reshape(found, expected.shape).astype(int) - expected)
    # OpenCV rounds places to 1/32 of a pixel.
    assert differs.mean() < 0.6 and np.quantile(differs, 0.99) <= 4


@pytest.mark.parametrize(
    "changes, names, text",
    [
        ({"transform": "affine"}, {"expressions": ["a"]}, "transform similarity alone"),
        ({"interpolation": "cubic"}, {"expressions": ["a"]}, "interpolation linear"),
        ({}, {"action_units": ["AU1"]}, "the model names none"),
    ],
)
def test_other_models_are_refused(changes, names, text):
    static_page.require_readable(MEEN, {"expressions": ["a"]})
    with pytest.raises(ValueError, match=text):
        static_page.require_readable(dataclasses.replace(MEEN, **changes), names)


def test_another_tarball_and_a_failing_npm_are_one_line(tmp_path, monkeypatch):
    other = tmp_path / "other.tgz"
    other.write_bytes(b"other")
    for path, text in ((other, "another sha256"), (tmp_path / "no", "no such file")):
        with pytest.raises(ValueError, match=text), static_page.runtime(str(path)):
            pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="needs npm"), static_page.runtime(None):
        pass
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    npm.chmod(0o755)
    with (
        pytest.raises(ValueError, match="npm pack .* fails: no network"),
        static_page.runtime(None),
    ):
        pass


def test_the_page_names_no_other_place():
    for name in static_page.FILES:
        text = (PAGE / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|//\w+\.\w", text), name
    policy = re.search(
        r'content="(default-src[^"]*)"', (PAGE / "index.html").read_text()
    )
    assert "connect-src 'self'" in policy[1] and "unsafe-eval" not in policy[1].replace(
        "wasm-unsafe-eval", ""
    )


@contextlib.contextmanager
def hosted(folder):
    """A static server of a folder."""
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.long
def test_in_a_browser(browser, tmp_path):
    """With npm's ONNX Runtime Web: the reader's faces, and no request after them."""
    from playwright.sync_api import expect

    from fer_tf.chain import Reader

    pytest.importorskip("skimage")
    chain, photo = tmp_path / "chain", sample_photograph.write_astronaut(str(tmp_path))
    arguments = ("--workdir=ferplus_best", f"--output={chain}")
    result = run_command("export", "--chain", "--page", *arguments)
    assert result.returncode == 0, result.stderr
    (expected,) = Reader(chain).predict(photo)
    with hosted(chain) as address:
        page = browser.new_page()
        said, problems, asked = page.locator("#said"), [], []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        expect(said).to_have_text("ready", timeout=60_000)
        assert all(url.startswith(address) for url in asked)
        asked.clear()
        page.set_input_files("#photo", photo)
        expect(said).to_have_text("1 face found", timeout=60_000)
        (face,) = json.loads(page.text_content("#json"))
        assert face["box"] == expected["box"] and face["unsure"] == expected["unsure"]
        np.testing.assert_allclose(face["landmarks"], expected["landmarks"], atol=0.05)
        shares = [list(f["probabilities"].values()) for f in (face, expected)]
        np.testing.assert_allclose(*shares, atol=0.03)
        other = tmp_path / "other.png"
        other.write_bytes(b"no picture")
        page.set_input_files("#photo", other)
        expect(said).to_contain_text("The picture cannot be read")
        assert not asked and not problems
        page.close()
