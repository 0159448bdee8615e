"""The JSON service of `trainers.serve`: pictures in, faces out.

Starlette (extra `serve`) routes the requests, and a `fer_tf.chain.Reader` reads the
faces. One request is read at a time and a few wait; any more are sent away at once, so
that memory and waiting are bounded. Nothing of a request is kept.
"""

import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fer_tf.faces.images import ImageError, read_with_note
from fer_tf.utils.names import shown
from trainers.common.local_server import OwnRequests

MAX_BYTES = 16 * 2**20
"""Of a picture."""
MAX_PIXELS = 30_000_000
"""Of a picture."""
MAX_PICTURES = 16
"""Of a batch."""
MAX_BATCH_BYTES = 32 * 2**20
"""Of all pictures of a batch."""
PATIENCE = 30
"""Seconds that a request may take to arrive."""

# Around the files of a batch.
_FRAME = 2**16
_AGAIN = {"Retry-After": "1"}


def build(reader, *, host: str, waiting: int) -> Starlette:
    """The application.

    Args:
        reader: A `fer_tf.chain.Reader`.
        host: Address that the server listens on.
        waiting: Most requests that wait for the one that is read.
    """
    service = _Service(reader, waiting)
    return Starlette(
        routes=[
            Route("/health", service.health),
            Route("/faces", service.faces, methods=["POST"]),
            Route("/batch", service.batch, methods=["POST"]),
        ],
        middleware=[Middleware(_OwnAlone, host=host)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )


class _Service:
    """The answers, and the line of the requests that wait."""

    def __init__(self, reader, waiting):
        self._reader, self._places = reader, waiting + 1
        self._taken = 0
        self._turn = asyncio.Lock()

    async def health(self, request: Request) -> Response:
        facts = self._reader.facts
        return JSONResponse(
            {
                "status": "ok",
                "model": facts["model"],
                "names": facts["names"],
                "unsure_below": facts["unsure_below"],
                "requests": self._taken,
                "limits": {
                    "requests": self._places,
                    "bytes": MAX_BYTES,
                    "pixels": MAX_PIXELS,
                    "pictures": MAX_PICTURES,
                    "batch_bytes": MAX_BATCH_BYTES,
                    "seconds_to_arrive": PATIENCE,
                },
            }
        )

    async def faces(self, request: Request) -> Response:
        if _kind(request).startswith("multipart/"):
            raise HTTPException(415, "send the picture itself, or several to /batch")
        with self._place():
            data = await _arriving(_limited(request, MAX_BYTES).body())
            answer = await self._read(data)
        return JSONResponse(answer, 422 if answer["error"] else 200)

    async def batch(self, request: Request) -> Response:
        if not _kind(request).startswith("multipart/form-data"):
            raise HTTPException(415, "send the pictures as multipart/form-data")
        with self._place():
            limited = _limited(request, MAX_BATCH_BYTES + _FRAME)
            form = await _arriving(limited.form(max_files=MAX_PICTURES, max_fields=0))
            try:
                if not form:
                    raise HTTPException(400, "the form holds no picture")
                files = [file for _, file in form.multi_items()]
                pictures = [await self._part(file) for file in files]
            finally:
                await form.close()
        return JSONResponse({"pictures": pictures})

    async def _part(self, file):
        """One picture of a batch; an error there is that picture's."""
        name = shown(file.filename or "")
        if file.size > MAX_BYTES:
            error = f"more than {MAX_BYTES // 2**20} MiB"
            return {"name": name, "faces": [], "note": None, "error": error}
        return {"name": name, **await self._read(await file.read())}

    @contextlib.contextmanager
    def _place(self):
        """A place in the line, which is given back in any case."""
        if self._taken >= self._places:
            raise HTTPException(503, "too many requests at once: try again", _AGAIN)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def _read(self, data):
        async with self._turn:
            return await asyncio.to_thread(self._answer, data)

    def _answer(self, data):
        answer = {"faces": [], "note": None, "error": None}
        try:
            image, answer["note"] = read_with_note(data, max_pixels=MAX_PIXELS)
        except ImageError as error:
            return {**answer, "error": str(error)}
        return {**answer, "faces": self._reader.predict(image)}


class _OwnAlone:
    """Refuses what another site or another name made a browser send."""

    def __init__(self, app, host):
        self._app, self._own = app, OwnRequests(host)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
            if reason := self._own.why_strange(headers):
                await JSONResponse({"error": reason}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _kind(request):
    return request.headers.get("content-type", "").lower()


def _limited(request, most):
    """The request, that fails once its body is too long."""
    too_long = HTTPException(413, f"more than {most // 2**20} MiB")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_long
    total = 0

    async def receive():
        nonlocal total
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > most:
            raise too_long
        return message

    return Request(request.scope, receive)


async def _arriving(coming):
    """What arrives, in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await coming
    except TimeoutError:
        line = f"the request took more than {PATIENCE} s to arrive"
        raise HTTPException(408, line) from None
    except ClientDisconnect:
        raise HTTPException(400, "the request ended too early") from None


def _refused(request, error):
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _failed(request, error):
    # A defect, which the terminal shows.
    return JSONResponse({"error": f"the service failed: {type(error).__name__}"}, 500)
