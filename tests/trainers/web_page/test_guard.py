import asyncio
import json

import pytest

from trainers.web_page import scratch
from trainers.web_page.guard import Guard


def ask(guard, *, method="GET", path="/", body=b"", **headers):
    """What the guard answers: a status, and its text or what the page was told."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    headers = {"host": "localhost:7860", **given}
    if method == "POST":
        headers.setdefault("content-length", str(len(body)))
    scope = {
        "type": "http", "method": method, "path": path,
        "headers": [(k.encode(), v.encode())
                    for k, v in headers.items() if v is not None],
    }  # fmt: skip
    sent, parts = [], [body[:5], body[5:]]

    async def receive():
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


async def _page(scope, receive, send):
    """Says what it was sent."""
    body = b""
    if scope["method"] == "POST":
        more = True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def guard(tmp_path):
    return Guard(_page, host="192.168.7.7", folder=str(tmp_path))


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:7860", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:80", "[::1]",
     "[::1]:7860", "192.168.7.7", "192.168.7.7:7860"],
)  # fmt: skip
def test_its_own_names_are_answered(guard, host):
    assert ask(guard, host=host) == (200, b"")


STRANGERS = [
    None, "", "evil.example", "evil.example:7860", "localhost.evil.example", "10.0.0.1",
    "evil@localhost.evil", "localhost@evil.example", "127.0.0.1.evil.example", "[::2]",
    "[::1", "localhost evil", "2130706433", "127.1", "0.0.0.0", "localhost/evil\\",
    "localhost:7860.evil.example", "127.0.0.1:99999",
]  # fmt: skip


@pytest.mark.parametrize("host", STRANGERS)
def test_another_name_is_not(guard, host):
    status, said = ask(guard, host=host)
    # The path after a name is no part of it.
    assert status == (200 if host and "/" in host else 403), said


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_every_address_of_the_machine_may_be_named_but_no_name(tmp_path, wildcard):
    guard = Guard(_page, host=wildcard, folder=str(tmp_path))
    for host in ("localhost", "10.1.2.3:7860", "[fe80::1]:7860", "0.0.0.0"):
        assert ask(guard, host=host)[0] == 200, host
    for host in ("evil.example", "10.1.2.3.evil.example", ""):
        assert ask(guard, host=host)[0] == 403, host


@pytest.mark.parametrize(
    "origin, status",
    [
        ("http://localhost:7860", 200),
        ("https://localhost:7860", 200),  # By a proxy that adds TLS.
        ("http://LOCALHOST:7860", 200),
        ("http://localhost:8000", 403),
        ("http://127.0.0.1:7860", 403),
        ("http://evil.example", 403),
        ("http://localhost:7860.evil.example", 403),
        ("http://localhost:7860@evil.example", 403),
        ("http://[", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_other_sites_are_not_answered(guard, origin, status):
    for method in ("GET", "POST", "OPTIONS"):
        assert ask(guard, origin=origin, method=method)[0] == status, method


def test_a_body_has_a_length_and_a_cap(guard):
    post = lambda **kwargs: ask(guard, method="POST", **kwargs)
    assert post(content_length=None)[0] == 411
    assert post(content_length="-1")[0] == 411
    assert post(content_length="²")[0] == 411
    assert post(content_length=str(2**20 + 1)) == (413, b"The request is too long.")
    upload = "/gradio_api/upload"
    assert post(path=upload, content_length=str(2**26))[0] == 200
    status, said = post(path=upload, content_length=str(2**26 + 2**17))
    assert (status, said) == (413, b"The file is larger than 64 MiB.")
    assert post(body=b'{"data": [1]}') == (200, b'{"data": [1]}')


def test_uploads_that_come_at_once_have_room(tmp_path, monkeypatch):
    """The quota's half is theirs; what is finished makes way for them."""
    monkeypatch.setattr(scratch, "QUOTA", 1000)
    (tmp_path / "old").write_bytes(bytes(700))
    seen = []

    async def page(scope, receive, send):
        seen.append((tmp_path / "old").exists())
        if len(seen) == 1:
            inner.append(await asyncio.to_thread(upload, "101"))
            inner.append(await asyncio.to_thread(upload, "100"))
        await _page(scope, receive, send)

    guard = Guard(page, host="localhost", folder=str(tmp_path))
    upload = lambda length: ask(
        guard, method="POST", path="/gradio_api/upload", content_length=length
    )
    inner = []
    assert upload("400")[0] == 200
    assert [status for status, _ in inner] == [503, 200]
    assert seen == [False, False]
    # They have ended: their room is free.
    assert upload("500")[0] == 200


@pytest.mark.parametrize(
    "path, status",
    [
        ("http://example.com/a.jpg", 400),
        ("https://169.254.169.254/", 400),
        ("HTTP://EXAMPLE.COM", 400),
        ("file:///etc/passwd", 400),
        ("/tmp/fer-tf-page-x/photo.jpg", 200),
    ],
)
def test_a_file_named_by_an_address_is_not_fetched(guard, path, status):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for data in ([file], [None, {"video": file}], [[["deep", {"x": [file]}]]]):
        plain = json.dumps({"data": data})
        escaped = plain.replace("http", "\\u0068ttp").replace("://", ":\\/\\/")
        for text in (plain, escaped):
            assert ask(guard, method="POST", body=text.encode())[0] == status


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 500_000, b"\xff\xfe", b"NaN", b"5"])
def test_what_is_not_json_is_gradios_to_refuse(guard, body):
    assert ask(guard, method="POST", body=body) == (200, body)


def test_a_client_that_leaves_is_no_request(guard):
    async def leave():
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    asyncio.run(guard(scope, leave, send))


def test_a_websocket_of_another_site_is_closed(guard):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "headers": [(b"host", b"evil.example")]}
    asyncio.run(guard(scope, None, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
