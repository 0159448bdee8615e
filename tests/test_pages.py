"""Every page tells the truth: its links, commands, Python and generated parts."""

import ast
import collections
import json
import os
import pathlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys

import pytest

from fer_tf import face_table
from fer_tf.scores.text import reading
from tests import testing_utils
from tests.trainers.summary import written
from trainers import readme
from trainers.common import sample_photograph
from trainers.prediction import csv_table
from trainers.training import overrides

ROOT = pathlib.Path(__file__).parent.parent
FOLDERS = ("fer_tf", "data_pipelines", "trainers", "saved_models")
PATHS = [
    ROOT / "README.md",
    *(p for f in FOLDERS for p in sorted((ROOT / f).rglob("*.md"))),
]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PATHS
}
# Written by a command as a whole.
GENERATED = (
    "saved_models/README.md",
    "saved_models/ferplus_best/README.md",
    "saved_models/fer2013_best/README.md",
)
every_page = pytest.mark.parametrize("page", PAGES)


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text):
    """The lines that somebody wrote and somebody reads, one by one."""
    text = re.sub(
        r"<!-- (\w+): begin -->.*?<!-- \1: end -->", "", text, flags=re.DOTALL
    )
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.split("\n") if not line.startswith("|")]


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", readme.PAGES)
def test_generated_parts_are_what_the_command_would_write(page):
    assert readme.render(PAGES[page], page) == PAGES[page], (
        "run: python -m trainers.readme"
    )


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page):
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\(((?!https?:)[^)\s]+)\)", PAGES[page]):
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else ROOT / page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), link


@every_page
def test_every_file_that_it_names_is_there(page):
    for path in re.findall(
        r"`((?:fer_tf|data_pipelines|trainers|tests)/[\w/.]+)`", PAGES[page]
    ):
        # KEY stands for any of several names.
        assert "KEY" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GENERATED])
def test_lines_fit_a_screen(page):
    for line in prose(PAGES[page]):
        # A link or a code span cannot be broken.
        assert len(line) <= 120 or re.match(r"\S*\[[^]]*\]\([^)]*\)\S*$", line), line


def test_the_readme_is_short():
    assert PAGES["README.md"].count("\n") <= 250


def test_the_readme_gives_no_number_that_was_not_measured():
    numbers = re.findall(r"\d+\.\d+\s\[[^]]*\]", PAGES["README.md"])
    assert len(numbers) > 4
    for number in numbers:
        assert number.replace("\n", " ") in PAGES[readme.RESULTS_PAGE], number


def test_the_gallery_gives_the_numbers_of_the_kept_file():
    text = PAGES["saved_models/pictures/README.md"].replace("\n", " ")
    path = ROOT / "saved_models" / "results" / "localisation.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    maps = kept["models"]["small_resnet"]
    share = lambda name: reading(maps[name]["mass"], maps[name]["interval"], digits=2)
    shown = [share(name) for name in ("grad_cam", "guided_grad_cam", "edges")]
    assert re.findall(r"\d\.\d+ \[[^]]*\]", text) == shown
    assert f"over {kept['num_faces'] - kept['num_still']} drawn faces" in text
    assert f"On {maps['grad_cam']['num_empty']} of the faces, Grad-CAM" in text
    assert round(4 * maps["grad_cam"]["uniform"], 1) == 1  # A quarter.
    assert kept["command"] in text


def test_the_gallery_shows_each_of_its_pictures_below_what_made_it():
    page = "saved_models/pictures/README.md"
    blocks = r"^```(?:bash|python)\n.*?^```$|!\[[^]]+\]\(\S+\)"
    parts = re.findall(blocks, PAGES[page], re.MULTILINE | re.DOTALL)
    pictures = [re.search(r"\((\S+)\)$", part) for part in parts]
    shown = [match[1] for match in pictures if match]
    there = [path.name for path in (ROOT / page).parent.glob("*.png")]
    assert sorted(shown) == sorted(there)
    # Only the picture of what `explain` measured follows another picture.
    follow = [two[1] for one, two in zip([None, *pictures], pictures) if one and two]
    assert follow == ["localisation.png"] and pictures[0] is None


def test_the_layout_names_every_package_and_no_folder_that_is_gone():
    (tree,) = fenced(PAGES["README.md"].split("## Layout")[1], "")
    named, top = set(), ""
    for line in tree.splitlines():
        names = re.match(r" *((?:\w+/ ?)+)", line)[1].split()
        if not line.startswith(" "):
            (top,) = names
        named |= {top + name for name in names} if line.startswith(" ") else {top}
    packages = {
        f"{p.parent.relative_to(ROOT)}/"
        for f in FOLDERS
        for p in (ROOT / f).rglob("__init__.py")
    }
    assert packages <= named, packages - named
    assert not [name for name in named if not (ROOT / name).is_dir()]


def test_the_commands_page_explains_every_command():
    for path in (ROOT / "trainers").glob("*.py"):
        if "cli.run(" in path.read_text(encoding="utf-8"):
            assert f"| [`{path.stem}`]({path.name}) |" in PAGES["trainers/README.md"]


def test_the_commands_page_explains_every_extra():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    for extra in re.findall(r'^ {8}"(\w+)": \[', setup, re.MULTILINE):
        assert re.search(rf"^\|.*`{extra}`.* \|", PAGES["trainers/README.md"], re.M), (
            extra
        )


# What the model's card leaves to its reader.
_CARD = """
import fer_tf, numpy as np
from ai_edge_litert.interpreter import Interpreter
one_crop = np.zeros((48, 48, 1), np.uint8)
"""


def prepare_fer2013(folder):
    """Writes `data/fer2013`, as the commands of the pages do."""
    csv, output = folder / "fer2013.csv", folder / "data" / "fer2013"
    testing_utils.write_fer2013_csv(csv, testing_utils.fer2013_rows(140))
    arguments = ("--dataset=fer2013", f"--source={csv}", f"--output={output}")
    result = testing_utils.run_command("prepare", *arguments)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if fenced(PAGES[page], "python")]
)
def test_its_python_runs(page, tmp_path):
    photo = sample_photograph.write_astronaut(str(tmp_path))
    os.rename(photo, tmp_path / "photo.jpg")
    for file in (ROOT / page).parent.glob("*.tflite"):
        (tmp_path / file.name).symlink_to(file)
    blocks = fenced(PAGES[page], "python")
    if ".frame(" in "".join(blocks):
        pytest.importorskip("pandas")
    if "VideoWriter" in "".join(blocks):
        pytest.importorskip("av")
    if "data/fer2013" in "".join(blocks):
        prepare_fer2013(tmp_path)
    if "exports/chain" in "".join(blocks):
        arguments = ("--workdir=ferplus_best", f"--output={tmp_path}/exports/chain")
        result = testing_utils.run_command("export", "--chain", *arguments)
        assert result.returncode == 0, result.stderr
    if '"out/' in "".join(blocks):
        write_predictions(tmp_path / "out")
    code = "\n".join([_CARD if page in GENERATED else "", *blocks])
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def write_predictions(out):
    """What `trainers.predict` leaves, without a model."""
    written.write(out, written.PICTURES)
    lines = (out / "predictions.jsonl").read_text().splitlines()
    records = [json.loads(line) | {"error": None} for line in lines]
    columns = face_table.columns({"expressions": ["happiness"]})
    csv_table.write(str(out / "predictions.csv"), records, columns)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_its_r_runs(tmp_path):
    out, summary = tmp_path / "out", tmp_path / "summary"
    write_predictions(out)
    folders = (f"--input={out}", f"--output={summary}")
    result = testing_utils.run_command("summarize", *folders, "--person=stem")
    assert result.returncode == 0, result.stderr
    (code,) = fenced(PAGES["trainers/prediction/README.md"], "r")
    result = subprocess.run(
        ["Rscript", "-e", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "Paired t-test" in result.stdout and "0.458" in result.stdout  # Neutral.


def shown_in_pages():
    """Commands in blocks of a shell, and in code spans of sentences."""
    for text in PAGES.values():
        for block in fenced(text, "bash"):
            yield from block.replace("\\\n", " ").splitlines()
        text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        yield from re.findall(r"`((?:python -m )?trainers\.\w+\s[^`]*)`", text)
        yield from re.findall(r"`((?:make|pip install) [^`]*)`", text)


def shown_in_docstrings():
    for path in sorted((ROOT / "trainers").rglob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for command in re.findall(
            r"^python -m trainers\.(?:.*\\\n)*.*", text, re.MULTILINE
        ):
            # Brackets are around what may be left out.
            yield re.sub(r"\[(?=--)|\]$", "", command.replace("\\\n", " "))


def commands():
    """Program or module -> the arguments of every command that is shown."""
    known = collections.defaultdict(list)
    for line in (*shown_in_pages(), *shown_in_docstrings()):
        words = shlex.split(line, comments=True)
        words = [word for word in words if word not in ("...", "…")]
        if words[:2] == ["python", "-m"]:
            words = words[2:]
        if words:
            known[words[0]].append(words[1:])
    return known


# Parses lists of arguments as the command would, and prints what is wrong with them.
_PARSE = """
import importlib, json, sys
from absl import flags
importlib.import_module(sys.argv[1])
for words in json.load(sys.stdin):
    try:
        rest = flags.FLAGS(["command", *words])[1:]
    except Exception as error:
        rest = repr(error)
    if len(rest) != int(sys.argv[2]):
        print(words, rest)
"""
# How many arguments that are no flags a command takes.
_TAKES = {"trainers.compare": 2}


def without_keys(words):
    """Sets the keys of a config where one is named, and leaves the other flags."""
    keys = [word for word in words if word.startswith("--config.")]
    for word in words:
        if word.startswith("--config="):
            path = ROOT / word.removeprefix("--config=")
            config = runpy.run_path(str(path))["get_config"]()
            for key in keys:
                overrides.set_value(config, *key[len("--config.") :].split("=", 1))
    return [word for word in words if word not in keys]


def test_every_command_is_one_that_its_flags_allow():
    known = commands()
    makefile = (ROOT / "Makefile").read_text()
    for (target,) in known.pop("make"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    setup = (ROOT / "setup.py").read_text()
    for words in known.pop("pip"):
        if "-r" in words:
            continue  # A list, and no extra.
        for extra in re.findall(r"\w+", words[-1]):
            assert f'"{extra}": [' in setup, extra
    assert len(known) > 10 and sum(map(len, known.values())) > 100
    for module, lines in known.items():
        assert module.startswith("trainers."), module
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
        lines = list(map(without_keys, lines))
        result = subprocess.run(
            [sys.executable, "-c", _PARSE, module, str(_TAKES.get(module, 0))],
            cwd=ROOT, input=json.dumps(lines), capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert (result.returncode, result.stdout) == (0, ""), f"{module}: {result}"
