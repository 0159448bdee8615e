import json

import pytest

from tests.trainers.publishing.drawn_table import drawn_table
from trainers import readme
from trainers.publishing import kept_results


def test_a_table_is_kept_whole_with_its_own_note_under_a_papers_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "results"))
    path = tmp_path / "wang_1.json"
    path.write_text(json.dumps(drawn_table()))
    outputs = tmp_path / "runs" / "ours_seed0" / "outputs"
    outputs.mkdir(parents=True)
    (outputs / "clean.npz").write_bytes(b"of each face")
    facts = dict(command="c", note="More.", machine="m")
    readme.add_table(str(path), "wang_1_synthetic", **facts)
    kept = kept_results.read_all(readme.RESULTS, "wang")["wang_1_synthetic"]
    assert kept["note"] == "a note; More." and kept["machine"] == "m"
    faces = tmp_path / "results" / "predictions" / "wang_1_synthetic"
    assert (faces / "ours_seed0.npz").read_bytes() == b"of each face"
    assert kept_results.read_all(readme.RESULTS, "gan") == {}
    with pytest.raises(ValueError, match="must begin with one of wang, zhang"):
        readme.add_table(str(path), "table", **facts)


def test_a_kept_table_grows_by_the_rows_trained_on_another_machine(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "results"))
    path = tmp_path / "wang_1.json"
    facts = dict(command="c", note="", machine="m")

    def add(**changed):
        table = {**drawn_table(), **changed}
        path.write_text(json.dumps(table))
        readme.add_table(str(path), "wang_1", **facts)
        return kept_results.read_all(readme.RESULTS, "wang")["wang_1"]["rows"]

    (first, *_), untrained = drawn_table()["rows"], dict(ours={}, seeds=0)
    second = dict(first, row="Second", ours={"accuracy": 0.25})
    add(rows=[first, {**second, **untrained}])
    # The other machine trained only the second row, then only the first one again.
    assert add(rows=[{**first, **untrained}, second]) == [first, second]
    # Of the same name, but trained on other data: neither row is lost, or mixed.
    with pytest.raises(ValueError, match="row Second is kept of other data"):
        add(rows=[{**first, "split_hash": "b"}, {**second, **untrained}])
    again = dict(first, ours={"accuracy": 0.75})
    assert add(rows=[again, {**second, **untrained}]) == [again, second]
    # Another budget is another table: nothing is mixed.
    other = [again, {**second, **untrained}]
    assert add(rows=other, changed={"epochs": "9"}) == other


def test_differences_of_rows_that_are_trained_again_are_not_kept():
    rows = lambda *again: [{"row": r, "ours": {"a": 1} if r in again else {}}
                           for r in "ABCD"]  # fmt: skip
    pair = lambda row, value: {"row": row, "baseline": "A", "ours": value}
    kept = {"differences": [pair("B", 0.1), pair("C", 0.2)]}
    new = {"rows": rows("D"), "differences": [pair("D", 0.3)]}
    whole = [pair("D", 0.3), pair("B", 0.1), pair("C", 0.2)]
    assert readme._grown_differences(kept, new) == whole
    # B alone is new, and no longer what its difference was measured with.
    alone = {"rows": rows("B"), "differences": []}
    assert readme._grown_differences(kept, alone) == [pair("C", 0.2)]
    assert readme._grown_differences(kept, {"rows": rows("A")}) == []


def test_a_run_is_kept_with_its_curve_and_command(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "kept"))
    run = tmp_path / "run"
    (run / "outputs").mkdir(parents=True)
    (run / "outputs" / "clean.npz").write_bytes(b"faces")
    (run / "results.json").write_text(json.dumps({"model": "vgg19_fer", "epochs": 2}))
    (run / "metrics.csv").write_text("epoch\n")
    readme.add(str(run), "new", note="", machine="", command="train")
    kept = json.loads((tmp_path / "kept" / "new.json").read_text())
    assert kept["model"] == "vgg19_fer" and kept["command"] == "train"
    assert (tmp_path / "kept" / "new.csv").read_text() == "epoch\n"
    assert (tmp_path / "kept" / "predictions" / "new.npz").read_bytes() == b"faces"


def test_scores_are_kept_with_the_faces_beside_them(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "kept"))
    for name in "ab":
        scores = {"num_examples": 2, "metrics": {"accuracy": 0.5}, "more": 1}
        (tmp_path / f"{name}.json").write_text(json.dumps(scores))
    (tmp_path / "b.npz").write_bytes(b"faces")
    files = [f"fer2013={tmp_path / 'a.json'}", f"london={tmp_path / 'b.json'}"]
    readme.add_scores(files, "league_new", note="", machine="", command="evaluate")
    kept = json.loads((tmp_path / "kept" / "league_new.json").read_text())
    assert kept["sets"]["london"] == {"num_examples": 2, "metrics": {"accuracy": 0.5}}
    found = list((tmp_path / "kept" / "predictions").iterdir())
    assert [path.name for path in found] == ["league_new_london.npz"]
    assert found[0].read_bytes() == b"faces"
