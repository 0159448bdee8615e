"""Files that appear whole or not at all."""

import contextlib
import json
import os


@contextlib.contextmanager
def replacing(path: str):
    """Yields a temporary path that becomes `path` if the block succeeds.

    The temporary file lies beside `path` and keeps its ending, which some
    writers go by. On any error it is removed and `path` is what it was.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".part-{name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 text file, atomically."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: str, value) -> None:
    """Writes indented JSON with a final newline, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
