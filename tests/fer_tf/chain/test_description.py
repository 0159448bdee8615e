import json
import shutil

import pytest

from fer_tf.chain import description


def test_what_it_says_of_a_chain(exported_chain):
    folder, facts, _ = exported_chain
    described = description.read(folder)
    assert described.facts == json.loads((folder / "chain.json").read_text())
    assert described.detector.thresholds == (0.6, 0.7, 0.9)
    assert described.detector.overlaps == (0.5, 0.7, 0.7, 0.7)
    assert described.crop_spec.name == "meen" and described.crop_spec.size == 48
    assert described.names["expressions"][:2] == ["neutral", "happiness"]
    assert described.unsure_below == 0.6
    assert described.runtimes == ["onnx", "litert"]
    assert facts["inside_the_network"] == {
        "views": "center_mirror", "average": "logits", "temperature": 1.5,
        "balance": None,
    }  # fmt: skip


def with_value(path, value):
    """A change of one value of a description, found by its keys."""

    def change(facts):
        *way, last = path.split("/")
        for key in way:
            facts = facts[key]
        facts[last] = value

    return change


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda facts: facts.pop("detector"), "lacks detector"),
        (lambda facts: facts["files"].pop("rnet.onnx"), "no sha256 of rnet.onnx"),
        (lambda facts: facts.pop("files"), "no sha256 of pnet.onnx"),
        (with_value("schema_version", 2), "schema 2, this version reads 1"),
        (with_value("detector/thresholds", [0.6, 0.7]), "`thresholds` must be three"),
        (with_value("detector/overlaps", [0.5] * 3), "`overlaps` must be four"),
        (with_value("detector/min_face_size", 3), "`min_face_size` must be at least"),
        (with_value("detector/speed", 9), "unexpected keyword argument 'speed'"),
        (with_value("detector", 7), "must be a mapping"),
        (with_value("crop_spec/size", 0), "`size` must be a whole number"),
        (with_value("names", []), "`names` must be a dict"),
        (with_value("names/expressions", ["a", "A"]), "'A' comes twice"),
        (with_value("unsure_below", "half"), "`unsure_below` must be in 0..1 or null"),
        (with_value("runtimes", []), "`runtimes` must be of onnx, litert"),
        (with_value("runtimes", ["coreml"]), "`runtimes` must be of onnx, litert"),
        (with_value("runtimes", [[]]), "unhashable"),
        (with_value("files/model.onnx", 3), "no sha256 of model.onnx"),
        (with_value("files/model.onnx/sha256", "00"), "model.onnx: has another sha256"),
    ],
)
def test_other_descriptions_are_one_line(exported_chain, tmp_path, change, text):
    folder = tmp_path / "chain"
    shutil.copytree(exported_chain[0], folder)
    facts = json.loads((folder / "chain.json").read_text())
    change(facts)
    (folder / "chain.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=text) as refused:
        description.check_files(folder, description.read(folder).facts, "onnx")
    assert "\n" not in str(refused.value) and str(folder) in str(refused.value)


@pytest.mark.parametrize("runtime", ["onnx", "litert"])
@pytest.mark.parametrize("place", [0, 4])
def test_a_damaged_or_missing_file_is_named(exported_chain, tmp_path, runtime, place):
    folder = tmp_path / "chain"
    shutil.copytree(exported_chain[0], folder)
    name, facts = description.files(runtime)[place], description.read(folder).facts
    with open(folder / name, "ab") as file:
        file.write(b"\0")
    with pytest.raises(ValueError, match=f"{name}: has another sha256"):
        description.check_files(folder, facts, runtime)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{name}: is not here"):
        description.check_files(folder, facts, runtime)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "7"])
def test_other_files_are_one_line(tmp_path, text):
    with pytest.raises(ValueError, match="holds no chain.json"):
        description.read(tmp_path)
    (tmp_path / "chain.json").write_text(text)
    with pytest.raises(ValueError, match="not valid JSON|schema None"):
        description.read(tmp_path)
