import json
import os
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


def complaints(cells):
    """Lines that the cells wrote to stderr."""
    outputs = [o for c in cells if c.cell_type == "code" for o in c["outputs"]]
    errors = [o["text"] for o in outputs if o.get("name") == "stderr"]
    return "".join(errors).splitlines()


def test_it_is_stored_without_outputs():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not [c for c in cells if c["cell_type"] == "code" and c["outputs"]]


@pytest.mark.slow
def test_a_clean_kernel_runs_it_from_top_to_bottom(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # The tests' own.
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3")
    client.execute()
    if kept := os.environ.get("FER_TF_NOTEBOOK"):  # To look at every output.
        nbformat.write(notebook, kept)
    cells = {
        c["source"].split("\n")[0]: c for c in notebook.cells if c.cell_type == "code"
    }
    outputs = {start: text(cell) for start, cell in cells.items()}
    find = lambda word: next(o for start, o in outputs.items() if word in start)

    counts = eval(find("import json").splitlines()[-1])  # noqa: S307
    assert sum(counts.values()) == 1800 and set(counts) == {
        "train", "validation", "test",
    }  # fmt: skip
    losses = [
        float(line.split("loss: ")[1].split(" ")[0])
        for line in find("from ml_collections").splitlines()
        if " loss: " in line
    ]
    assert len(losses) == 12 and losses[-1] < 0.9 * losses[0]
    line = find("from fer_tf.model_io import model_folder").splitlines()[-1]
    found = re.fullmatch(
        r"(\d+) faces; accuracy (\S+) \[(\S+), (\S+)\]; chance is 0.14", line
    )
    assert int(found[1]) == counts["test"]
    accuracy, low, high = map(float, found.groups()[1:])
    assert 1.3 / 7 < low < accuracy < high <= 1  # Well above chance.
    assert "'probabilities': [4, 7]" in find("!{sys.executable} -m trainers.export")
    (line,) = find("from skimage").splitlines()
    assert re.fullmatch(r"\[.*\] happiness \d+%", line), line
    # TensorFlow's one line where there is no GPU, and no wall of warnings.
    assert len(complaints(notebook.cells)) <= 1, complaints(notebook.cells)
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
