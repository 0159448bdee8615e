"""The generated tables, and what is kept of a run to write them from."""

import json
import shlex

import pytest

from trainers import readme
from trainers.publishing import kept_results, paper_tables, readme_tables


def _table(**changes):
    entry = dict(
        row="Ours", protocol="clean", paper=dict(accuracy=0.5, nll=0.714),
        ours=dict(accuracy=0.25, nll=0.5), intervals=dict(accuracy=[0.2, 0.3]),
        std=dict(accuracy=0.01, nll=0.02), seeds=3, epochs=4.0, num_examples=40,
        split_sizes=dict(train=1000, test=500), split_hash="a", configs=["ours"],
        command="train --config=configs/ours.py", commands=["a"],
    )  # fmt: skip
    unmeasured = dict(entry, row="Theirs", ours={}, protocol=None)
    return dict(
        table="wang_1", title="T", scale="full",
        dataset="synthetic", paper_dataset="affectnet", percent=False,
        changed={"epochs": "4"}, machine="2 cores", note="a note",
        command="python -m trainers.reproduce", rows=[entry, unmeasured], **changes,
    )  # fmt: skip


def test_a_table_sets_the_papers_values_beside_ours_with_their_spread():
    text = paper_tables.paper_table(_table())
    assert "| Ours | accuracy | 0.500 | 0.250 ± 0.010 [0.200, 0.300] | — | 3 | 4 |" in (
        text
    )
    assert "|  | nll | 0.714 | 0.500 ± 0.020 | — |  |  |" in text
    assert "Theirs" not in text
    assert (
        "not as in our recipe of the paper: epochs = 4" in text
        and "of affectnet" in text
    )
    assert "1,000 faces to train on, 40 to test" in text


def test_the_overview_has_first_numbers_and_the_papers_own_data_first(tmp_path):
    assert paper_tables.papers_overview(str(tmp_path)) == kept_results.NONE
    own = {**_table(), "table": "zhang_1", "paper_dataset": "synthetic"}
    own["rows"][0]["ours"]["au_f1"] = own["rows"][0]["std"]["au_f1"] = 0.125
    for name, table in (("wang_1", _table()), ("zhang_1", own)):
        (tmp_path / f"{name}.json").write_text(json.dumps(table))
    lines = paper_tables.papers_overview(str(tmp_path)).split("\n")
    ours = "| Ours | accuracy | 0.500 | 0.250 ± 0.010 [0.200, 0.300] | 3 | 4 |"
    assert lines[2:] == [
        f"| zhang_1 | synthetic {ours}",
        "|  |  |  | au_f1 | — | 0.125 ± 0.125 |  |  |",
        f"| wang_1 | synthetic † {ours}",
        "",
        *kept_results.command_block("zhang_1:", "python -m trainers.reproduce").split(
            "\n"
        ),
        "",
        *kept_results.command_block("wang_1:", "python -m trainers.reproduce").split(
            "\n"
        ),
    ]


def test_a_long_command_is_wrapped_between_its_words():
    command = "python -m trainers.train '--config.stages[0].epochs=5' " + " ".join(
        f"--config.key{number}='a (b)'" for number in range(20)
    )
    text = kept_results.command_block("It:", command)
    block = text.removeprefix("It:\n\n```bash\n").removesuffix("\n```")
    assert max(map(len, block.split("\n"))) <= 100
    assert shlex.split(block.replace("\\\n", "")) == shlex.split(command)


def test_a_row_that_is_anothers_runs_stands_once():
    table = _table()
    # The same without published weights: the runs of "Ours", which are from scratch.
    twin = dict(table["rows"][0], row="Tuned", configs=["tuned"])
    table["rows"].insert(0, twin)
    assert "Tuned" not in paper_tables.paper_table(table)
    twin["commands"] = ["b"]
    assert "Tuned" in paper_tables.paper_table(table)


def test_a_table_is_kept_whole_with_its_own_note_under_a_papers_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "results"))
    path = tmp_path / "wang_1.json"
    path.write_text(json.dumps(_table()))
    facts = dict(command="c", note="More.", machine="m")
    readme.add_table(str(path), "wang_1_synthetic", **facts)
    kept = kept_results.read_all(readme.RESULTS, "wang")["wang_1_synthetic"]
    assert kept["note"] == "a note; More." and kept["machine"] == "m"
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
        table = {**_table(), **changed}
        path.write_text(json.dumps(table))
        readme.add_table(str(path), "wang_1", **facts)
        return kept_results.read_all(readme.RESULTS, "wang")["wang_1"]["rows"]

    (first, *_), untrained = _table()["rows"], dict(ours={}, seeds=0)
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


def test_speeds_are_those_of_every_kept_measurement_after_its_command(tmp_path):
    assert readme_tables.speed(str(tmp_path)) == kept_results.NONE
    one = dict(
        what="input", device="CPU", command="c --what=input", images_per_second=1234.5,
        memory_growth_mib=0.0, dataset="fer2013",
    )  # fmt: skip
    row = dict(
        parameters=12, gflops_per_image=0.5, batch_size=64, images_per_second=3.0,
        stock_keras_ratio=2.0, peak_memory_mib=1000.0,
    )  # fmt: skip
    several = dict(command="c --model=a,b", device="CPU", models=dict(a=row))
    (tmp_path / "speed_input.json").write_text(json.dumps(one))
    (tmp_path / "speed_train.json").write_text(json.dumps(several))
    text = readme_tables.speed(str(tmp_path))
    rates = "On CPU: images per second 1,234.50, memory growth mib 0.00."
    assert kept_results.command_block(rates, "c --what=input") in text
    assert "| `a` | 12 | 0.50 | 64 | 3.0 | 2.00 | 1,000 |" in text
    assert "input" not in readme_tables.runs_table(str(tmp_path))  # No run.


def test_a_run_is_kept_with_its_curve_and_command(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "kept"))
    run = tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_text(json.dumps({"model": "vgg19_fer", "epochs": 2}))
    (run / "metrics.csv").write_text("epoch\n")
    readme.add(str(run), "new", note="", machine="", command="train")
    kept = json.loads((tmp_path / "kept" / "new.json").read_text())
    assert kept["model"] == "vgg19_fer" and kept["command"] == "train"
    assert (tmp_path / "kept" / "new.csv").read_text() == "epoch\n"


def test_compared_networks_stand_with_their_costs_or_not_at_all(tmp_path):
    assert readme_tables.comparison(str(tmp_path)) == kept_results.NONE
    metrics = dict(accuracy=0.6, macro_f1=0.5, mean_class_accuracy=0.55, ece=0.04)
    test = dict(metrics=metrics, intervals=dict(accuracy=[0.58, 0.62]))
    run = dict(model="a", epochs=12.0, protocols=dict(clean=dict(test=test)))
    cost = dict(parameters=1200, gflops_per_image=0.25, faces_per_second=310.4)
    for name, config in zip(readme_tables.COMPARED, ("a", "b")):
        text = json.dumps({**run, "model": config})
        (tmp_path / f"{name}.json").write_text(text)
    speed = dict(what="faces", device="CPU", command="c", models=dict(a=cost))
    (tmp_path / "speed_faces.json").write_text(json.dumps(speed))
    text = readme_tables.comparison(str(tmp_path))
    row = "| `a` | 60.00 [58.0, 62.0] |  | 50.00 | 55.00 | 4.00 | 12 | 1,200 | 0.25 "
    assert f"{row}| 310 |" in text and "`b`" not in text
    assert kept_results.command_block("Costs on CPU:", "c") in text
    # They have no place among the rates of steps.
    assert readme_tables.speed(str(tmp_path)) == kept_results.NONE


def _row(name, paper, ours, std, seeds=3, interval=(0.0, 0.0)):
    return {
        "clean": dict(
            row=name, seeds=seeds, paper=dict(ccc=paper), ours=dict(ccc=ours),
            std=dict(ccc=std) if std else None, intervals=dict(ccc=list(interval)),
        )
    }  # fmt: skip


def test_a_run_without_expressions_has_its_row(tmp_path):
    test = dict(metrics=dict(ccc_mean=0.5), intervals=dict(ccc_mean=[0.4, 0.6]))
    run = dict(
        model="two_att_mt", dataset="affectnet", paper={}, epochs=2.0, seconds=60.0,
        machine="m", command="c", note="", protocols=dict(clean=dict(test=test)),
    )  # fmt: skip
    (tmp_path / "wang_run.json").write_text(json.dumps(run))
    assert "| wang_run | `two_att_mt` | affectnet |  |  |  | 2 epochs, 1 min" in (
        readme_tables.runs_table(str(tmp_path))
    )


def test_an_ordering_is_claimed_only_beyond_the_noise_of_its_runs():
    rows = [
        _row("C", 0.7, 0.3, 0.1),
        _row("A", 0.5, 0.5, 0.03),
        _row("B", 0.6, 0.6, 0.03),
    ]
    # Equal deviations: 4 degrees of freedom, t = 2.776; 2.776 * 0.03 * sqrt(2/3) =
    # 0.068. Unequal: (0.0109 / 3)^2 / ((0.01/3)^2 + (0.0009/3)^2) * 2 = 2.36 degrees,
    # t = 3.73; 3.73 * sqrt(0.0109 / 3) = 0.225.
    text = paper_tables.orderings(rows, "ccc")
    assert "B above A: holds (+0.100 ± 0.068)" in text
    assert "C above B: reversed (-0.300 ± 0.225)" in text
    rows[2] = _row("B", 0.6, 0.56, 0.03)
    assert "B above A: undecided (+0.060" in paper_tables.orderings(rows, "ccc")
    # Rows that the paper itself finds equal have no order to repeat.
    level = [_row("A", 0.5, 0.5, 0.03), _row("B", 0.5, 0.9, 0.03)]
    assert paper_tables.orderings(level, "ccc") == ""
    three = paper_tables.orderings([*level, _row("C", 0.6, 0.95, 0.03)], "ccc")
    assert "C above A: holds" in three and "C above B: undecided" in three
    assert "B above A" not in three and "A above B" not in three


def test_single_runs_are_ordered_by_their_intervals():
    rows = [
        _row("A", 0.5, 0.50, None, 1, (0.47, 0.53)),
        _row("B", 0.6, 0.54, None, 1, (0.50, 0.58)),
    ]
    text = paper_tables.orderings(rows, "ccc")
    assert "B above A: undecided (+0.040 ± 0.050)" in text
    assert paper_tables.orderings(rows[:1], "ccc") == ""
