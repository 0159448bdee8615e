import ast
import pathlib
import re

import pytest

from fer_tf.chain import description
from fer_tf.export import chain, chain_page, check
from fer_tf.faces.cascade import Settings
from tests.fer_tf.export import small_models

FILES = [*description.files("onnx"), *description.files("litert")]
ROOT = pathlib.Path(chain.__file__).parents[2]


def test_every_file_was_checked(exported_chain):
    folder, facts, lines = exported_chain
    assert [line.split(":")[0] for line in lines] == FILES
    beside = {"chain.json", "README.md", "requirements.txt"}
    assert {path.name for path in folder.iterdir()} == beside | {*FILES}
    for name in FILES:
        assert facts["files"][name]["bytes"] == (folder / name).stat().st_size
        for output, largest in facts["checks"][name]["largest_difference"].items():
            assert largest < 1e-4, (name, output)
    shapes = [len(check["largest_value"]) for check in facts["checks"].values()]
    assert shapes == [1, 1, 2, 3, 1] * 2  # P-Net twice, R-Net, O-Net, the model.
    # Where P-Net was compared it saw something, and not only gaps.
    assert facts["checks"]["pnet.onnx"]["largest_value"]["output 0"] > 1


def test_the_readme_says_how_to_install_and_read(exported_chain):
    folder, _, _ = exported_chain
    text = (folder / "README.md").read_text()
    assert "pip install --no-deps" in text and 'Reader("out")' in text
    assert "the views (center_mirror)" in text and "temperature (1.5)" in text
    for name in (*FILES, "chain.json"):
        assert f"| `{name}` |" in text
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert lines == chain_page.requirements(["onnx", "litert"])


def test_the_extra_asks_for_what_the_list_does():
    setup = (ROOT / "setup.py").read_text()
    (asked,) = re.findall(r'"reader": (\[.*?\])', setup, re.DOTALL)
    assert ast.literal_eval(asked) == chain_page.requirements(["onnx"])
    required = setup.partition("extras_require")[0]
    for line in chain_page.requirements([]):
        assert f'"{line}"' in required, line


@small_models.needs_onnx
@pytest.mark.parametrize("differing", ["rnet.onnx", "model.tflite"])
def test_a_file_that_differs_leaves_nothing(
    chain_model, tmp_path, monkeypatch, differing
):
    require, strict = check.require, check.Limit(largest=0, mean=0, agreement=1)

    def stricter(report, limit, what, **reference):
        require(report, strict if what == differing else limit, what, **reference)

    monkeypatch.setattr(check, "require", stricter)
    with pytest.raises(ValueError, match=f"{differing}: .* differs from .* by"):
        chain.export_chain(
            chain_model, str(tmp_path / "out"), settings=Settings(),
            crops=small_models.random_crops(16), source="noise", name="tiny",
            described={}, runtimes=["litert", "onnx"],
        )  # fmt: skip
    assert not list(tmp_path.iterdir())
