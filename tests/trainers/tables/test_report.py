import dataclasses
import json
import re
import shutil

import cv2
import numpy as np
import pytest

from tests.trainers.tables.planned_table import planned
from trainers.evaluation.predictions import Predictions
from trainers.tables import report
from trainers.tables.papers import TABLES


def finish(path, correct, *, num_classes=7):
    """Writes what a finished run leaves, `correct` of ten faces right."""
    true = np.arange(10) % num_classes
    guess = np.where(np.arange(10) < correct, true, (true + 1) % num_classes)
    columns = {
        "sample_id": np.array([b"%d" % i for i in range(10)]),
        "true_expression": true,
        "expression": np.eye(num_classes, dtype=np.float32)[guess],
        "expression_weight": np.ones(10),
    }
    for protocol in ("clean", "paper"):
        folder = path / "best" / protocol
        folder.mkdir(parents=True)
        card = {"schema_version": 1, "weights": {"sha256": "0123456789"}}
        (folder / "model.json").write_text(json.dumps(card))
        Predictions.from_columns(columns).save(
            str(path / "outputs" / f"{protocol}.npz")
        )
    results = {"seconds": 7.5, "epochs": 2.0, "parameters": 1234}
    (path / "results.json").write_text(json.dumps(results))
    (path / "report.md").write_text("done")


def cells(text, row):
    (line,) = [x for x in text.splitlines() if x.startswith(f"| {row} | accuracy")]
    return [cell.strip() for cell in line.strip("|").split("|")][2:]


def test_what_was_not_measured_is_a_dash_and_what_was_stands_there(
    synthetic_data, tmp_path
):
    table = TABLES["gan_4"]
    table = dataclasses.replace(table, rows=(*table.rows, *TABLES["gan_3"].rows[1:9]))
    plan, sources, choices = planned(
        table, synthetic_data, tmp_path, from_scratch=True, seeds=2
    )
    text = report.write("gan_4", table, plan, sources, choices)
    assert cells(text, "Ours") == ["85.69", "—", "—"]
    assert cells(text, "PG-CNN") == ["83.27", "—", "—"]
    assert "Nothing is measured yet" in text and "synthetic; the paper's" in text
    entries = json.loads((tmp_path / "gan_4.json").read_text())["rows"]
    assert all(e["ours"] == {} and e["std"] is None for e in entries)

    runs = tmp_path / "runs"
    finish(runs / "gan_rafdb_man_scratch_seed0", 6)
    text = report.write("gan_4", table, plan, sources, choices)
    stated, clean, paper = cells(text, "Ours")
    assert stated == "85.69" and clean == paper and clean.startswith("60.00 [")
    assert cells(text, "VGG+SE") == ["83.28", "—", "—"]

    finish(runs / "gan_rafdb_man_scratch_seed1", 8)
    text = report.write("gan_4", table, plan, sources, choices)
    assert cells(text, "Ours")[1].startswith("70.00 ± 14.14 [")
    result = json.loads((tmp_path / "gan_4.json").read_text())
    clean, paper = [e for e in result["rows"] if e["row"] == "Ours"]
    house = {
        "row",
        "model",
        "paper",
        "ours",
        "std",
        "protocol",
        "epochs",
        "seeds",
        "command",
    }
    assert house <= set(clean)
    assert (clean["protocol"], paper["protocol"]) == ("clean", "paper")
    # Both rows of the paper's own are these runs; nothing is set against itself.
    assert result["differences"] == [] and result["derived"] == []
    assert text.splitlines()[0].endswith(
        "; width 1, 224 pixels, 2 epochs, seeds: 2, 0.0 hours"
    )
    assert clean["seeds"] == 2 and clean["seconds"] == 15.0 and clean["epochs"] == 2
    assert clean["ours"]["accuracy"] == pytest.approx(0.7)
    assert clean["paper"]["accuracy"] == 0.8569
    assert len(clean["split_hash"]) == 64 and clean["crop_spec"]["size"] == 48
    # The confusion in the paper's order of classes, and both pictures.
    assert "|  | SU | FE | DI | HA | SA | AN | NE |" in text
    assert np.array(clean["confusion"]).shape == (7, 7)
    for name in re.findall(r"!\[.*\]\((.*)\)", text):
        assert cv2.imread(str(tmp_path / name)).std() > 0


def test_numbers_of_a_set_without_test_data_say_so(synthetic_data, tmp_path):
    folder = shutil.copytree(synthetic_data, tmp_path / "data")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["num_examples"] -= sum(manifest["counts"].pop("test").values())
    shards = manifest["shards"]
    manifest["shards"] = [s for s in shards if "-test." not in s["name"]]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    table = TABLES["wang_6"]
    plan, sources, choices = planned(table, str(folder), tmp_path)
    finish(tmp_path / "runs" / "wang_two_att_two_mt_seed0", 3)
    text = report.write("wang_6", table, plan, sources, choices)
    assert "Numbers on the validation set" in text and "on the test set," not in text


def test_a_smoke_run_says_so_wherever_a_number_stands(synthetic_data, tmp_path):
    table = TABLES["wang_6"]
    plan, sources, choices = planned(table, synthetic_data, tmp_path, scale="smoke")
    finish(tmp_path / "runs" / "wang_two_att_two_mt_seed0", 3)
    text = report.write("wang_6", table, plan, sources, choices)
    assert text.count("SMOKE RUN") == 2 and "(SMOKE RUN)" in text.splitlines()[0]
    assert json.loads((tmp_path / "wang_6.json").read_text())["scale"] == "smoke"
