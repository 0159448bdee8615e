r"""Serves the reading of faces as JSON, for other programs.

python -m trainers.export --chain --workdir=ferplus_best --output=exports/chain
python -m trainers.serve --chain=exports/chain
curl --data-binary @photo.jpg http://127.0.0.1:7870/faces
curl -F picture=@a.jpg -F picture=@b.jpg http://127.0.0.1:7870/batch
curl http://127.0.0.1:7870/health

It reads by the files of a chain, without TensorFlow, and so it starts within a second
or two. It answers this machine alone unless --host says otherwise; it has no accounts
and no encryption. fer_tf/chain/README.md says what is sent and answered.
"""

import contextlib
import importlib.util

from absl import flags

from trainers.common import cli, local_server

_CHAIN = flags.DEFINE_string(
    "chain", None, "Folder that trainers.export --chain wrote."
)
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address that it listens on.")
_PORT = flags.DEFINE_integer("port", 7870, "Port there; 0: any free one.",
                             lower_bound=0, upper_bound=65535)  # fmt: skip
_WAITING = flags.DEFINE_integer(
    "waiting", 8, "Most requests that wait for the one that is read; any more are "
    "answered 503.", lower_bound=0, upper_bound=1000,
)  # fmt: skip

# By what they are imported as.
_PACKAGES = {
    "onnxruntime": "onnxruntime",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
}


def main() -> None:
    """Entry point of the command line."""
    missing = [n for p, n in _PACKAGES.items() if importlib.util.find_spec(p) is None]
    if missing:
        raise ValueError(
            f"the service needs {', '.join(missing)}, the extra `serve`: "
            "pip install -e '.[serve]'"
        )
    with local_server.listening(_HOST.value, _PORT.value) as listener:
        # Only now, since a port that is in use is refused at once.
        import uvicorn

        from fer_tf.chain import Reader
        from trainers.service import app

        service = app.build(
            Reader(_CHAIN.value), host=_HOST.value, waiting=_WAITING.value
        )
        config = uvicorn.Config(
            service, log_level="warning", timeout_graceful_shutdown=5
        )
        place = local_server.address(_HOST.value, listener.getsockname()[1])
        print(f"serving {place}, Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    cli.run(main, required=("chain",))
