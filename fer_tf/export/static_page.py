"""A page beside a chain's files, which reads photographs in the browser.

Its JavaScript lies in the folder `page`. ONNX Runtime Web runs the networks; it comes
from npm when the page is written, in the one version that is named here, and is
compared with its sha256. The page loads nothing from elsewhere and sends nothing.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from fer_tf.faces.crop_spec import CropSpec
from fer_tf.utils.hashing import sha256

PACKAGE = "onnxruntime-web@1.30.0"
SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
"""Of its tarball."""

FILES = ("index.html", "page.css", "page.js", "faces.js")
RUNTIME = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
"""What is taken out of the tarball."""

_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")


def require_readable(spec: CropSpec, names: dict) -> None:
    """Refuses a model that the page's JavaScript cannot read faces with.

    Raises:
        ValueError: If its crops are made in another way, or it names no expressions.
    """
    for field, wanted in (("transform", "similarity"), ("interpolation", "linear")):
        if getattr(spec, field) != wanted:
            raise ValueError(
                f"the page makes crops of {field} {wanted} alone; the model's is "
                f"{getattr(spec, field)}"
            )
    if "expressions" not in names:
        raise ValueError("the page shows expressions, and the model names none")


@contextmanager
def runtime(path: str | None) -> Iterator[str]:
    """Yields the path of ONNX Runtime Web's tarball, fetched by npm if none is given.

    Raises:
        ValueError: If npm is missing or fails, or the file is another one.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = path or _packed(folder)
        if not os.path.isfile(found):
            raise ValueError(f"{found}: no such file")
        if sha256(found) != SHA256:
            raise ValueError(f"{found}: not {PACKAGE} as npm packs it (another sha256)")
        yield found


def _packed(folder):
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(
            f"the page needs npm, or {PACKAGE} that npm packed, by --onnxruntime_web"
        )
    result = subprocess.run(
        [npm, "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, text=True
    )
    names = os.listdir(folder)
    if result.returncode or len(names) != 1:
        lines = result.stderr.strip().splitlines() or ["it wrote nothing"]
        raise ValueError(f"npm pack {PACKAGE} fails: {lines[0]}")
    return os.path.join(folder, names[0])


def write(folder: str, tarball: str) -> None:
    """Writes the page's own files and the runtime's beside a chain.

    Args:
        folder: Of the chain.
        tarball: From `runtime`.
    """
    for name in FILES:
        shutil.copyfile(os.path.join(_PAGE, name), os.path.join(folder, name))
    with tarfile.open(tarball) as archive:
        for name in RUNTIME:
            packed = archive.extractfile(f"package/dist/{name}")
            with packed, open(os.path.join(folder, name), "wb") as file:
                shutil.copyfileobj(packed, file)
