"""The README tells the truth about today."""

import pathlib
import re

from trainers import readme

ROOT = pathlib.Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_generated_tables_are_what_the_command_would_write():
    assert readme.render(TEXT) == TEXT, "run: python -m trainers.readme"


def test_every_command_config_and_picture_it_names_is_there():
    for module in set(re.findall(r"python -m trainers\.(\w+)", TEXT)):
        assert (ROOT / "trainers" / f"{module}.py").is_file(), module
    for path in set(re.findall(r"trainers/configs/\w+\.py", TEXT)):
        assert (ROOT / path).is_file(), path
    for path in set(re.findall(r"!\[[^\]]*\]\(([^)]+)\)", TEXT)):
        assert (ROOT / path).is_file(), path
