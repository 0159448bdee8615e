"""What the service answers, and what it refuses; its reader stands in for a network."""

import asyncio
import io
import threading

import numpy as np
import pytest
from PIL import Image

httpx = pytest.importorskip("httpx", reason="needs httpx, of the extra `dev`")
pytest.importorskip("starlette", reason="needs Starlette, the extra `serve`")
pytest.importorskip("python_multipart", reason="needs the extra `serve`")

from trainers.service import app  # noqa: E402

FACE = {"box": [1, 2, 3, 4], "confidence": 0.99, "expression": "fear"}


class Known:
    """Finds a face in every picture that is not black."""

    facts = {"model": "known", "names": {"expressions": ["fear"]}, "unsure_below": 0.5}

    def predict(self, image):
        return [dict(FACE)] if image.any() else []


def encoded(value=200, size=(60, 40), kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(file, kind)
    return file.getvalue()


def ask(*requests, reader=None, waiting=8, host="127.0.0.1", together=False):
    """Answers of the service to `(method, path, options)`, one by one or at once."""
    service = app.build(reader or Known(), host=host, waiting=waiting)
    transport = httpx.ASGITransport(service, raise_app_exceptions=False)

    async def run():
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:7870"
        ) as client:
            coming = [client.request(m, p, **options) for m, p, options in requests]
            if together:
                return await asyncio.gather(*coming)
            return [await one for one in coming]

    answers = asyncio.run(run())
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        if answer.status_code != 200:
            assert "\n" not in answer.json()["error"]
    return answers


def post(content, path="/faces", **options):
    return ("POST", path, {"content": content, **options})


def files(*pictures):
    parts = [("picture", (f"{n}.png", data)) for n, data in enumerate(pictures)]
    return ("POST", "/batch", {"files": parts})


def test_one_picture():
    face, empty = ask(post(encoded()), post(encoded(0)))
    assert face.status_code == empty.status_code == 200
    assert face.json() == {"faces": [FACE], "note": None, "error": None}
    assert empty.json()["faces"] == []


def test_several_pictures_each_with_its_error():
    (answer,) = ask(files(encoded(), b"nothing", encoded(0), encoded(kind="JPEG")))
    assert answer.status_code == 200
    read = answer.json()["pictures"]
    assert [picture["name"] for picture in read] == [f"{n}.png" for n in range(4)]
    assert [len(picture["faces"]) for picture in read] == [1, 0, 0, 1]
    reasons = [picture["error"] for picture in read]
    assert reasons == [None, "not an image of a known format", None, None]


def test_health_says_what_it_is_and_allows():
    (answer,) = ask(("GET", "/health", {}), waiting=3)
    told = answer.json()
    assert (told["status"], told["model"], told["requests"]) == ("ok", "known", 0)
    assert told["names"] == {"expressions": ["fear"]} and told["unsure_below"] == 0.5
    assert told["limits"] == {
        "requests": 4, "bytes": 16 * 2**20, "pixels": 30_000_000, "pictures": 16,
        "batch_bytes": 32 * 2**20, "seconds_to_arrive": 30,
    }  # fmt: skip


# A PNG of 36 megapixels, in some kilobytes.
_LARGE = encoded(size=(6000, 6000))


@pytest.mark.parametrize(
    "request_, status, reason",
    [
        (post(b""), 422, "empty file"),
        (post(b"<html>"), 422, "an HTML page, not an image"),
        (post(encoded()[:100]), 422, "image"),
        (post(_LARGE), 422, "more than 30 megapixels"),
        (post(bytes(16 * 2**20 + 1)), 413, "more than 16 MiB"),
        (files(*[b"x"] * 17), 400, "Too many files. Maximum number of files is 16."),
        (files(*[bytes(12 * 2**20)] * 3), 413, "more than 32 MiB"),
        (("POST", "/batch", {"files": [], "data": {"a": "b"}}), 415, "multipart"),
        (post(b"x", "/batch"), 415, "send the pictures as multipart/form-data"),
        (("POST", "/faces", {"files": {"p": b"x"}}), 415, "several to /batch"),
        (post(b"--a", "/batch", headers={"content-type": "multipart/form-data"}), 400,
         "boundary"),
        (post(b"--a--\r\n", "/batch",
              headers={"content-type": "multipart/form-data; boundary=a"}), 400,
         "the form holds no picture"),
        (("GET", "/faces", {}), 405, "Method Not Allowed"),
        (("GET", "/other", {}), 404, "Not Found"),
        (("GET", "/health", {"headers": {"host": "evil.example"}}), 403, "evil"),
        (post(encoded(), headers={"origin": "http://evil.example"}), 403, "sites"),
    ],
)  # fmt: skip
def test_what_is_refused(request_, status, reason):
    (answer,) = ask(request_)
    assert answer.status_code == status, answer.text
    assert reason in answer.json()["error"]


def test_a_picture_of_a_batch_that_is_too_large_is_that_pictures_error():
    (answer,) = ask(files(encoded(), bytes(17 * 2**20)))
    assert [p["error"] for p in answer.json()["pictures"]] == [None, "more than 16 MiB"]


def test_a_body_without_a_length_is_counted_as_it_comes():
    async def body():
        for _ in range(20):
            yield bytes(2**20)

    (answer,) = ask(post(body()))
    assert answer.status_code == 413


def test_a_body_that_does_not_come(monkeypatch):
    monkeypatch.setattr(app, "PATIENCE", 0.05)

    async def body():
        yield b"x"
        await asyncio.sleep(30)

    answer, health = ask(post(body()), ("GET", "/health", {}))
    assert answer.status_code == 408 and "0.05 s" in answer.json()["error"]
    assert health.json()["requests"] == 0  # Its place is free again.


class Slow(Known):
    """Says how many read at once, and waits until somebody has been sent away."""

    def __init__(self, seconds):
        self.now, self.most, self.seconds = 0, 0, seconds

    def predict(self, image):
        self.now += 1
        self.most = max(self.most, self.now)
        threading.Event().wait(self.seconds)
        self.now -= 1
        return super().predict(image)


def test_one_is_read_some_wait_and_the_others_are_sent_away():
    reader = Slow(0.1)
    answers = ask(*[post(encoded())] * 9, reader=reader, waiting=2, together=True)
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 3 and statuses.count(503) == 6
    assert reader.most == 1
    (away, *_) = [answer for answer in answers if answer.status_code == 503]
    assert away.headers["retry-after"] == "1"
    assert "too many requests at once" in away.json()["error"]


class Broken(Known):
    def predict(self, image):
        raise RuntimeError(f"a secret path\n{np.pi}")


def test_a_defect_is_json_too_and_gives_its_place_back():
    requests = [post(encoded())] * 2 + [("GET", "/health", {})]
    *answers, health = ask(*requests, reader=Broken(), waiting=0)
    for answer in answers:
        assert answer.status_code == 500
        assert answer.json() == {"error": "the service failed: RuntimeError"}
    assert health.json()["requests"] == 0
