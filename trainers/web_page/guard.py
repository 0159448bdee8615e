"""What the page's server refuses before Gradio sees it.

- Requests to a name that is not the page's own: an attacker's name may lead a browser
  here (DNS rebinding).
- Requests from another site.
- Bodies that are too large, or more uploads at once than the scratch has room for.
- Files that are named by an address, which Gradio would fetch.
"""

import asyncio
import json

from trainers.common import local_server
from trainers.web_page import scratch

# Most bytes of an upload, and of any other request, which can only name files.
MAX_UPLOAD = 64 * 2**20
_MAX_OTHER = 2**20
# Bytes around a file in its upload.
_FRAME = 2**16
# Most seconds that an upload may take.
_PATIENCE = 300


class Guard:
    """An ASGI application around another.

    Args:
        app: The other.
        host: Address that the server listens on.
        folder: The page's scratch.
    """

    def __init__(self, app, *, host: str, folder: str):
        self._app, self._folder = app, folder
        self._coming = 0  # Bytes of uploads that have begun.
        self._own = local_server.OwnRequests(host)

    async def __call__(self, scope, receive, send):
        """Refuses a request, or passes it on."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = {name.lower(): value.decode("latin-1")
                   for name, value in scope["headers"]}  # fmt: skip
        reason = self._own.why_strange(headers)
        if reason:
            return await _refuse(scope, send, 403, reason)
        if scope.get("method") in (None, "GET", "HEAD", "OPTIONS"):
            return await self._app(scope, receive, send)
        length = headers.get(b"content-length", "")
        if not (length.isascii() and length.isdigit()):
            return await _refuse(scope, send, 411, "The request states no length.")
        if scope["path"].endswith("/upload"):
            return await self._upload(int(length), scope, receive, send)
        return await self._other(int(length), scope, receive, send)

    async def _upload(self, length, scope, receive, send):
        if length > MAX_UPLOAD + _FRAME:
            return await _refuse(scope, send, 413, "The file is larger than 64 MiB.")
        if self._coming + length > scratch.QUOTA // 2:
            return await _refuse(scope, send, 503, "Too many uploads at once.")
        self._coming += length
        try:
            await asyncio.to_thread(scratch.make_room, self._folder, self._coming)
            # After that the server closes the connection, since there is no answer.
            async with asyncio.timeout(_PATIENCE):
                await self._app(scope, receive, send)
        finally:
            self._coming -= length

    async def _other(self, length, scope, receive, send):
        if length > _MAX_OTHER:
            return await _refuse(scope, send, 413, "The request is too long.")
        body, is_whole = b"", False
        while not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            is_whole = not message.get("more_body", False)
        if _names_an_address(body):
            return await _refuse(scope, send, 400, "Files are uploaded, not named.")
        first = [{"type": "http.request", "body": body, "more_body": False}]

        async def again():
            return first.pop() if first else await receive()

        return await self._app(scope, again, send)


async def _refuse(scope, send, status, text):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _names_an_address(body):
    """Whether JSON holds a file whose path is an address."""
    paths = []
    try:
        json.loads(body, object_hook=lambda values: paths.append(values.get("path")))
    except (ValueError, RecursionError):  # Gradio answers that it is no JSON.
        return False
    return any(isinstance(path, str) and "://" in path for path in paths)
