"""`data_pipelines/README.md` says what the code says."""

import pathlib
import re
import shlex

import pytest

from data_pipelines.checks.findings import KINDS
from data_pipelines.sources import SOURCES

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "data_pipelines" / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.S)
    for line in block.replace("\\\n", " ").splitlines()
]


def test_the_table_of_data_sets_is_that_of_the_sources():
    stated = {}
    for names, crop, detector, options in re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| `(\w+)`, (\w+) \|(.*)\|$", TEXT, re.M
    ):
        for name in re.findall(r"\w+", names):
            stated[name] = crop, detector, options
    assert set(stated) == set(SOURCES)
    for name, (crop, detector, options) in stated.items():
        source = SOURCES[name]
        assert (crop, detector) == (source.default_crop, source.default_detector)
        assert set(re.findall(r"(\w+)=", options)) == set(source.options), name
        for values in filter(None, source.options.values()):
            assert values[0] in options and values[-1] in options, name


def test_every_data_set_is_described_and_every_finding_named():
    for name in SOURCES:
        assert f"\n- **{name}**: " in TEXT, name
    for kind in KINDS:
        assert f"`{kind}`" in TEXT, kind


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_flags_that_exist(command):
    python, m, module, *flags = shlex.split(command)
    assert (python, m) == ("python", "-m")
    code = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    known = set(re.findall(r'flags\.DEFINE_\w+\(\s*"(\w+)"', code))
    given = [flag.removeprefix("--").partition("=")[0] for flag in flags]
    assert given and set(given) <= known
