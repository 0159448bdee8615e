"""The results that are kept in `saved_models/results/`."""

import glob
import json
import os

NONE = "Nothing yet."
"""What a page says where a table would have no rows."""


def read_all(folder: str, paper: str = "") -> dict[str, dict]:
    """Reads the kept results whose name begins with a paper's, by name."""
    results = {}
    for path in sorted(glob.glob(os.path.join(folder, f"{paper}*.json"))):
        with open(path, encoding="utf-8") as file:
            results[os.path.splitext(os.path.basename(path))[0]] = json.load(file)
    return results
