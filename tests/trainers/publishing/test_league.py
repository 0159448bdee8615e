"""The offline league table."""

import json

import pytest

from trainers import readme
from trainers.publishing import kept_results, league


def scores(accuracy, low, high, labelled=100):
    ends = {"recall": [[0.5, 0.7], [0.9, 1.0]], "precision": [None, None]}
    return dict(
        num_examples=100, labelled=dict(expression=labelled),
        metrics=dict(accuracy=accuracy, ece=0.1234),
        intervals=dict(accuracy=[low, high]),
        confusion=dict(
            expressions=["happiness", "neutral"], counts=[[6, 4], [1, 19]],
            intervals=ends,
        ),
        groups=dict(gender=dict(female=dict(
            metrics=dict(accuracy=0.8), intervals=dict(accuracy=[0.7, 0.9])))),
        calibration="not kept",
    )  # fmt: skip


def test_its_rows_are_what_evaluate_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path / "kept"))
    assert league.table(readme.RESULTS) == kept_results.NONE
    files = []
    # 4 of 100 FER+ faces show what the model has no word for: 75 % of 96 are 72 %.
    measured = dict(
        fer2013=scores(0.6, 0.55, 0.65), ferplus=scores(0.75, 0.7, 0.8, labelled=96),
        london=scores(0.9, 0.8, 1.0),
    )  # fmt: skip
    for name, one in measured.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(one))
        files.append(f"{name}={path}")
    facts = dict(command="c", note="n", machine="m", bytes=93160, speed_ratio=None)
    readme.add_scores(files, "league_a", title="A", **facts)
    readme.add_scores(files[:1], "league_b", title="B", **{**facts, "speed_ratio": 2})
    _, _, a, b, *_ = league.table(readme.RESULTS).split("\n")
    assert a == (
        "| A | 60.00 [55.0, 65.0] | 72.00 [67.2, 76.8] | 60.00 [50.0, 70.0] | "
        "95.00 [90.0, 100.0] | 80.00 [70.0, 90.0] | — | 0.123 | 0.09 | — |"
    )
    # Not measured on all sets: it has its row, below the others.
    assert b == "| B | 60.00 [55.0, 65.0] | — | — | — | — | — | 0.123 | 0.09 | 2.00 |"
    kept = kept_results.read_all(readme.RESULTS)["league_a"]
    assert "calibration" not in kept["sets"]["london"]


def test_other_sets_and_names_are_refused(tmp_path):
    facts = dict(command="c", note="", machine="m")
    with pytest.raises(ValueError, match="must begin with league_"):
        readme.add_scores([], "a", **facts)
    for text in ("rafdb=a.json", "london"):
        with pytest.raises(ValueError, match="must be one of fer2013, ferplus, london"):
            readme.add_scores([text], "league_a", **facts)
