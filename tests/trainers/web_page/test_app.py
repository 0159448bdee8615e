import csv
import io
import itertools
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from data_pipelines import synthetic
from fer_tf import labels, predictor
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.video.video_writer import VideoWriter
from tests.testing_utils import save_tiny_model
from trainers.web_page import app

pytest.importorskip("gradio", reason="needs Gradio: pip install 'fer-tf[web]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    keras.utils.set_random_seed(0)
    return save_tiny_model(tmp_path_factory.mktemp("model"), CROP_SPECS["meen"])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Where the page's process keeps its temporary files."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def address(model, scratch, tmp_path_factory):
    """A page in a process of its own, as a user starts it."""
    log = tmp_path_factory.mktemp("page") / "log"
    with open(log, "w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "trainers.predict", f"--model={model}", "--serve",
             "--port=0"],
            stdout=file, stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(scratch)},
        )  # fmt: skip
    try:
        for _ in range(3000):
            found = [s for s in log.read_text().split() if s.startswith("http")]
            if found:
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found[0].rstrip(",/")
    finally:
        process.terminate()
        process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM
    assert not list(scratch.glob("fer-tf-page-*"))
    assert not (scratch / "gradio").exists()


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    """A drawn face that MTCNN finds."""
    path = tmp_path_factory.mktemp("photo") / "face.png"
    face = synthetic.draw(5, synthetic.SyntheticOptions(size=224)).image
    cv2.imwrite(str(path), face[..., ::-1])
    return str(path)


def post(address, path, body, kind="application/json"):
    request = urllib.request.Request(
        address + path, body, {"Content-Type": kind}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read().decode()


def upload(address, name, data):
    boundary = "x" * 30
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; '
            f'filename="{name}"\r\n\r\n'
        ).encode()
        + data
        + f"\r\n--{boundary}--\r\n".encode()
    )
    kind = f"multipart/form-data; boundary={boundary}"
    return json.loads(post(address, "/gradio_api/upload", body, kind))[0]


def ask(address, path):
    """What the page's photograph handler answers: the last event and its data."""
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}]
    body = json.dumps({"data": data}).encode()
    event = json.loads(post(address, "/gradio_api/call/photo", body))["event_id"]
    url = f"{address}/gradio_api/call/photo/{event}"
    with urllib.request.urlopen(url, timeout=120) as answer:
        lines = answer.read().decode().splitlines()
    events = [s.removeprefix("event: ") for s in lines if s.startswith("event: ")]
    datas = [s.removeprefix("data: ") for s in lines if s.startswith("data: ")]
    return events[-1], datas[-1]


def test_photographs_and_clips_wait_in_one_queue(model, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    built = app.build(predictor.Predictor(model), str(tmp_path)).fns.values()
    queues = {each.api_name: each.concurrency_id for each in built}
    assert queues["photo"] == queues["clip"]


def test_it_listens_on_this_machine_alone(address):
    assert address.startswith("http://127.0.0.1:")


def test_it_keeps_uploads_to_itself(address, photograph, scratch):
    path = upload(address, "face.png", open(photograph, "rb").read())
    (folder,) = scratch.glob("fer-tf-page-*")
    assert folder in pathlib.Path(path).parents
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_answers_to_its_own_name_and_site_alone(address):
    def status(**headers):
        request = urllib.request.Request(f"{address}/config", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.headers

    site = "http://evil.example"
    assert status()[0] == status(Host="localhost")[0] == 200
    assert status(Origin=address)[0] == 200
    for headers in ({"Host": "evil.example"}, {"Origin": site},
                    {"Host": "evil.example", "Origin": site}):  # fmt: skip
        code, answered = status(**headers)
        assert code == 403
        assert "access-control-allow-origin" not in answered


def is_csv(answer):
    return isinstance(answer, dict) and str(answer.get("path")).endswith(".csv")


def test_pictures_are_read_as_the_command_reads_them(
    address, model, photograph, tmp_path
):
    """Not decoded, converted and encoded on their way."""
    read = predictor.Predictor(model)
    face = Image.open(photograph)
    wide = np.asarray(face.convert("L")).astype(np.uint16) * 257
    veil = Image.new("L", face.size, 200)
    pictures = {
        "grey16.png": Image.fromarray(wide),
        "alpha.png": Image.merge("RGBA", (*face.split(), veil)),
        "grey.jpg": face.convert("L"),
        "cmyk.jpg": face.convert("CMYK"),
    }
    for name, picture in pictures.items():
        path = tmp_path / name
        picture.save(path)
        event, data = ask(address, upload(address, name, path.read_bytes()))
        assert event == "complete", data
        (file,) = (each for each in json.loads(data) if is_csv(each))
        with open(file["path"], newline="") as opened:
            (row,) = csv.DictReader(opened)
        (face,) = read.predict(str(path))
        assert (row["source"], row["expression"]) == (name, face["expression"])
        assert float(row["face_score"]) == pytest.approx(face["confidence"]), name


def test_the_thinnest_pictures_have_no_face(address):
    for size in ((1, 30_000), (30_000, 1), (1, 1)):
        data = encoded(Image.new("RGB", size))
        event, said = ask(address, upload(address, "thin.png", data))
        assert event == "complete" and "No face found." in said, (size, said)


def test_a_file_that_was_not_uploaded_is_not_read(address, photograph):
    """By name it is another user's file, however readable for the server."""
    for path in ("/etc/passwd", photograph, "../../../etc/passwd"):
        try:
            event, data = ask(address, path)
        except urllib.error.HTTPError as error:
            assert error.code >= 400
            continue
        assert event == "error" and "root:" not in data, (path, event, data)
    for path in ("/etc/passwd", photograph):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}/gradio_api/file={path}", timeout=30)


def encoded(picture, kind="PNG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_hostile_uploads_are_one_line_and_the_page_goes_on(address, photograph):
    png = bytearray(encoded(Image.new("RGB", (1, 1))))
    png[16:24] = (30_000).to_bytes(4, "big") * 2  # The header claims 900 megapixels.
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    # Ghostscript, which reads these for Pillow, would never end.
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n{} loop\n"
    unknown = "not an image of a known format"
    uploads = {
        "bomb.png": (bytes(png), "megapixels"),
        "many.png": (encoded(Image.new("1", (13_000, 13_000))), "megapixels"),
        "page.jpg": (b"<html>not found</html>", "an HTML page, not an image"),
        "empty.png": (b"", "empty file"),
        "noise.jpg": (os.urandom(5000), unknown),
        "eps.jpg": (eps, "PostScript: save it as PNG"),
        "picture.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        "icon.png": (encoded(Image.new("RGB", (16, 16)), "ICO"), unknown),
    }
    for name, (data, reason) in uploads.items():
        began = time.monotonic()
        event, said = ask(address, upload(address, name, data))
        assert event == "error", name
        assert reason in json.loads(said)["error"], (name, said)
        assert "Traceback" not in said and "\\n" not in said, name
        assert time.monotonic() - began < 30, name
    event, said = ask(address, upload(address, "f.png", open(photograph, "rb").read()))
    assert event == "complete" and "1 face found." in said


@pytest.fixture
def group(photograph, tmp_path):
    """A photograph and a clip of two people."""
    pytest.importorskip("av", reason="needs PyAV")
    face = cv2.imread(photograph)
    pair = np.hstack([face, face])
    cv2.imwrite(str(tmp_path / "pair.png"), pair)
    with VideoWriter(str(tmp_path / "pair.mp4")) as writer:
        for frame in range(4):
            writer.write(pair[..., ::-1], frame / 25)
    return [str(tmp_path / name) for name in ("pair.png", "pair.mp4")]


PHONE, DESK = {"width": 390, "height": 844}, {"width": 1300, "height": 900}


def require_good_looks(page):
    """No violation that axe knows of, and nothing wider than the window."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe"
    )
    for size, dark in itertools.product((PHONE, DESK), (False, True)):
        page.set_viewport_size(size)
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.wait_for_timeout(500)  # Colours change slowly.
        found = axe.Axe().run(page)
        assert not found.response["violations"], found.generate_report()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]
    page.set_viewport_size(DESK)


@pytest.mark.slow
def test_a_person_uploads_a_photograph_and_a_clip(address, browser, group):
    """And everybody can read the answers, on any screen."""
    photograph, clip = group
    page, errors = browser.new_page(), []
    page.set_default_timeout(240_000)
    page.on("console", lambda line: line.type == "error" and errors.append(line.text))
    page.goto(address)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    assert page.locator("h1").count() == 1
    assert not page.locator("#drawn, #looked, #csv").count()  # No empty panel.
    require_good_looks(page)

    page.set_input_files("#photo input[type=file]", photograph)
    page.get_by_text("2 faces found.").wait_for()
    page.locator("#looked img").nth(1).wait_for()
    titles = page.locator("#looked figcaption").all_inner_texts()
    assert [title.split()[0] for title in titles] == ["1", "2"]
    assert {title.split()[1].strip("?") for title in titles} <= {*labels.EXPRESSIONS}
    alt = page.locator("#drawn img").get_attribute("alt")
    assert alt == f"The photograph: {', '.join(titles)}"
    require_good_looks(page)

    page.get_by_role("tab", name="Clip").click()
    page.set_input_files("#clip input[type=file]", clip)
    page.wait_for_selector("#clip video")
    page.locator("#people input").fill("2")
    require_good_looks(page)
    page.get_by_role("button", name="Read the clip").click()
    page.get_by_text("2 frames read, 2 people.").wait_for()
    page.wait_for_selector("#spans img")
    require_good_looks(page)
    assert not errors
