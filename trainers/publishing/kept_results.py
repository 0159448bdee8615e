"""The results that are kept in `saved_models/results/`, and how their commands look."""

import glob
import os
import shlex

from fer_tf.utils import atomic

NONE = "Nothing yet."
"""What a page says where a table would have no rows."""


def read_all(folder: str, paper: str = "") -> dict[str, dict]:
    """Reads the kept results whose name begins with a paper's, by name."""
    results = {}
    for path in sorted(glob.glob(os.path.join(folder, f"{paper}*.json"))):
        results[os.path.splitext(os.path.basename(path))[0]] = atomic.read_json(path)
    return results


def command_block(text: str, command: str) -> str:
    """Returns a text and, below it, the command in a block of lines that fit a screen.

    >>> print(command_block("All:", "python -m trainers.readme"))
    All:
    <BLANKLINE>
    ```bash
    python -m trainers.readme
    ```
    """
    lines = [""]
    for word in map(shlex.quote, shlex.split(command)):
        if len(lines[-1]) + len(word) > 94:
            lines.append("   ")
        lines[-1] += f" {word}"
    wrapped = " \\\n".join(lines).removeprefix(" ")
    return f"{text}\n\n```bash\n{wrapped}\n```"
