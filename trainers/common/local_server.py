"""What the page and the service share: where they listen, and whom they answer."""

import errno
import ipaddress
import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

# Hosts that stand for every address of the machine.
_WILDCARDS = ("0.0.0.0", "::")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address.

    Args:
        host: Address of this machine.
        port: Port there; 0 takes a free one.

    Raises:
        ValueError: If the host is empty.
        OSError: If the port is in use, or the address is not this machine's.
    """
    where = f"--host={host} --port={port}"
    if not host:
        raise ValueError("--host is empty")
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(place, family=family)
    except (socket.gaierror, UnicodeError) as error:
        raise OSError(f"--host={host}: no such address") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            where = f"port {port} is in use: give another, --port=..., or any, --port=0"
            raise OSError(where) from error
        raise OSError(f"{where}: {os.strerror(error.errno)}") from error


def address(host: str, port: int) -> str:
    """Where a browser finds a server.

    Example:
        >>> address("0.0.0.0", 7860)
        'http://localhost:7860'
    """
    name = "localhost" if host in _WILDCARDS else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


class OwnRequests:
    """Tells requests for a server from those that another site made a browser send.

    Args:
        host: Address that the server listens on.
    """

    def __init__(self, host: str):
        self._wildcard = host in _WILDCARDS
        self._names = {*_LOOPBACK, host.lower()}
        if self._wildcard:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    def why_strange(self, headers: Mapping[bytes, str]) -> str | None:
        """Why a request is not for this server or not from its page; None if it is.

        Args:
            headers: By their names in small letters.
        """
        host = headers.get(b"host", "")
        if not self._is_ours(host):
            return f"Nothing here answers to the name {host[:100]!r}."
        origin = headers.get(b"origin")
        if origin is not None and _location(origin) != host.lower():
            return "Nothing here answers other sites."
        return None

    def _is_ours(self, host):
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname or "", parts.port  # Raises if it is no number.
        except ValueError:
            return False
        if name in self._names:
            return True
        # An attacker owns names, not this machine's addresses.
        return self._wildcard and _is_address(name)


def _location(origin):
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
