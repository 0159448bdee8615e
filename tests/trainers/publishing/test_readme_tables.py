"""The generated tables of runs and comparisons."""

import json

from trainers.publishing import kept_results, readme_tables, speed_tables


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
    assert "0.25" not in speed_tables.speed(str(tmp_path))


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
