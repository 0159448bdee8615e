import json
import pathlib

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "trainers" / "notebooks" / "quick_start.ipynb"


def text(cell):
    """What a cell printed."""
    return "".join(o.get("text", "") for o in cell["outputs"])


def test_it_is_stored_without_outputs():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not [c for c in cells if c["cell_type"] == "code" and c["outputs"]]


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
    examples, accuracy = (
        find("from fer_tf import loading").splitlines()[-1].split(" faces; accuracy ")
    )
    assert int(examples) == counts["test"] and 0 <= float(accuracy) <= 1
    assert "'probabilities': [4, 7]" in find("!{sys.executable} -m trainers.export")
    (line,) = find("from skimage").splitlines()
    assert line.startswith("[") and any(
        name in line for name in ("neutral", "happiness", "sadness", "surprise", "fear",
                                  "disgust", "anger")
    )  # fmt: skip
    pictures = [
        o
        for cell in cells.values()
        for o in cell["outputs"]
        if "image/png" in o.get("data", {})
    ]
    assert len(pictures) == 2
