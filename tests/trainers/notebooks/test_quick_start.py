import json
import pathlib
import re
import subprocess
import sys

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")

ROOT = pathlib.Path(__file__).parents[3]
NOTEBOOK = ROOT / "trainers" / "notebooks" / "quick_start.ipynb"


def text(cell):
    """What a cell printed."""
    return "".join(o.get("text", "") for o in cell["outputs"])


def test_it_is_stored_without_outputs():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not [c for c in cells if c["cell_type"] == "code" and c["outputs"]]


@pytest.mark.slow
def test_a_clean_kernel_runs_it_from_top_to_bottom(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3")
    client.execute()
    cells = {
        c["source"].split("\n")[0]: c for c in notebook.cells if c.cell_type == "code"
    }
    outputs = {start: text(cell) for start, cell in cells.items()}
    find = lambda word: next(o for start, o in outputs.items() if word in start)

    counts = eval(find("import json").splitlines()[-1])  # noqa: S307
    assert sum(counts.values()) == 600 and set(counts) == {
        "train", "validation", "test",
    }  # fmt: skip
    losses = [
        float(line.split("loss: ")[1].split(" ")[0])
        for line in find("from trainers import fit").splitlines()
        if " loss: " in line
    ]
    assert len(losses) == 3 and losses[-1] < losses[0]
    line = find("from fer_tf.model_io import model_folder").splitlines()[-1]
    found = re.fullmatch(
        r"(\d+) faces; accuracy (\S+) \[(\S+), (\S+)\]; chance is 0.14", line
    )
    assert int(found[1]) == counts["test"]
    accuracy, low, high = map(float, found.groups()[1:])
    assert 0 <= low <= accuracy <= high <= 1 and low < high
    assert "'probabilities': [4, 7]" in find("!{sys.executable} -m trainers.export")
    (line,) = find("from skimage").splitlines()
    assert re.fullmatch(r"\[.*\] happiness \d+%", line), line
    pictures = [
        o
        for cell in cells.values()
        for o in cell["outputs"]
        if "image/png" in o.get("data", {})
    ]
    assert len(pictures) == 2


@pytest.mark.parametrize(
    ("repository", "folder", "installed"),
    [
        ("", ROOT / "trainers" / "notebooks", f"{ROOT}[demo]"),
        ("", ROOT, f"{ROOT}[demo]"),
        ("git+https://example.org/x", ROOT, "fer-tf[demo] @ git+https://example.org/x"),
        ("", pathlib.Path("/"), None),
    ],
)
def test_where_it_is_not_installed_it_installs_the_checkout(
    repository, folder, installed, monkeypatch
):
    source = "".join(json.loads(NOTEBOOK.read_text())["cells"][1]["source"])
    source = source.replace("%matplotlib inline", "")
    source = source.replace('REPOSITORY = ""', f'REPOSITORY = "{repository}"')
    calls = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "check_call", calls.append)
    monkeypatch.chdir(folder)
    if installed is None:
        with pytest.raises(SystemExit, match="set REPOSITORY"):
            exec(source, {})  # noqa: S102
        assert not calls
        return
    exec(source, {})  # noqa: S102
    assert calls == [[sys.executable, "-m", "pip", "install", "-q", installed]]
