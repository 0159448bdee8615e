import io
import json
import os
import pathlib
import shutil
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
        for _ in range(1200):
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
        rows = json.loads(data)[2]["data"]
        faces = read.predict(str(path))
        expected = [
            [each["expression"], round(each["confidence"], 3)] for each in faces
        ]
        assert len(faces) == 1, name
        assert [[row[1], row[5]] for row in rows] == expected, name


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


@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="needs chromium and chromedriver (Debian's packages)",
)
def test_a_person_uploads_a_photograph_and_reads_the_result(
    address, photograph, tmp_path
):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs Selenium")
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic",
                 "no-first-run", "disable-background-networking",
                 "disable-component-update", "disable-sync", "window-size=1300,1500",
                 f"user-data-dir={tmp_path / 'profile'}"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = shutil.which("chromium")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    browser = webdriver.Chrome(options, service)
    try:
        browser.get(address)
        wait = WebDriverWait(browser, 120)
        field = wait.until(
            lambda b: b.find_element(By.CSS_SELECTOR, "#photo input[type=file]")
        )
        field.send_keys(photograph)
        shown = lambda b: "1 face found." in b.find_element(By.ID, "said").text
        wait.until(shown)
        table = browser.find_element(By.ID, "table").text
        read = [name for name in labels.EXPRESSIONS if name in table]
        assert len(read) == 1, table
        looked = "#looked img"
        wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, looked))
        log = browser.get_log("browser")
        assert not [line for line in log if line["level"] == "SEVERE"]
        picture = os.environ.get("FER_TF_SCREENSHOT", str(tmp_path / "page.png"))
        assert browser.save_screenshot(picture)
    finally:
        browser.quit()
