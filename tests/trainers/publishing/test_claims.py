import math

import pytest

from trainers.publishing import claims
from trainers.publishing.claims import CLAIMS, Claim
from trainers.publishing.paper_pages import PAPERS
from trainers.tables.papers import TABLES

CLAIM = Claim("B beats A.", "wang_5", "Tukey's biweight", "MSE", "ccc_mean")


def row(name, values, **entry):
    mean = sum(values) / len(values)
    deviation = math.sqrt(
        sum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1)
    )
    return {
        "row": name, "protocol": "clean", "ours": {"ccc_mean": mean},
        "std": {"ccc_mean": deviation}, "seeds": len(values), "seconds": 1800.0,
        "configs": [name], "command": f"/{name}.py", "commands": [name], **entry,
    }  # fmt: skip


def kept(*rows, **result):
    return {"w": {"table": "wang_5", "dataset": "affectnet", "rows": rows,
                  "paper_dataset": "affectnet", **result}}  # fmt: skip


def verdict(*args, **result):
    return list(claims.evidence(CLAIM, kept(*args, **result)))


def test_seeds_alone_are_judged_by_welchs_interval():
    """Variances of 0.0001 and as much, of three: 0.0115 * sqrt(2 / 3), 4 degrees."""
    one = row("Tukey's biweight", [0.53, 0.54, 0.55])
    (found,) = verdict(one, row("MSE", [0.49, 0.50, 0.51]))
    half = 2.776 * math.sqrt(2 * 0.0001 / 3)
    assert found["ours"] == pytest.approx(0.04)
    assert found["interval"] == pytest.approx([0.04 - half, 0.04 + half], abs=1e-4)
    assert (found["verdict"], found["seconds"]) == ("holds", 3600)
    (found,) = verdict(one, row("MSE", [0.57, 0.58, 0.59]))
    assert found["verdict"] == "reversed"
    (found,) = verdict(one, row("MSE", [0.52, 0.53, 0.54]))
    assert found["verdict"] == "not decided"


def test_a_kept_difference_counts_before_and_may_be_the_other_way_round():
    rows = [row("Tukey's biweight", [0.5, 0.6]), row("MSE", [0.4, 0.5])]
    other = {"metric": "ccc_valence", "ours": 9, "interval": [8, 10]}
    gap = {"metric": "ccc_mean", "ours": 0.1, "interval": [0.02, 0.15]}
    names = {"row": "Tukey's biweight", "baseline": "MSE"}
    (found,) = verdict(*rows, differences=[{**names, **other}, {**names, **gap}])
    assert (found["interval"], found["verdict"]) == ([0.02, 0.15], "holds")
    names = {"baseline": "Tukey's biweight", "row": "MSE"}
    (found,) = verdict(*rows, differences=[{**names, **gap}])
    assert (found["ours"], found["interval"]) == (-0.1, [-0.15, -0.02])
    assert found["verdict"] == "reversed"


def test_single_runs_decide_nothing_and_a_missing_row_is_no_evidence():
    (found,) = verdict(row("Tukey's biweight", [0.9]), row("MSE", [0.1]))
    assert (found["interval"], found["verdict"]) == (None, "not decided")
    assert verdict(row("Tukey's biweight", [0.9]), row("MSE", [0.1], ours={})) == []
    assert verdict(row("MSE", [0.1])) == []


def test_other_data_are_marked():
    rows = [row("Tukey's biweight", [0.5, 0.6]), row("MSE", [0.4, 0.5])]
    assert verdict(*rows)[0]["on"] == "affectnet"
    (found,) = verdict(*rows, dataset="ferplus", derived=["valence_arousal"])
    assert found["on"] == "ferplus, derived labels †"


def test_every_paper_with_a_page_has_its_claims():
    assert CLAIMS.keys() == PAPERS.keys()


@pytest.mark.parametrize("claim", [c for each in CLAIMS.values() for c in each])
def test_the_paper_itself_states_what_it_claims(claim):
    table = TABLES[claim.table]
    stated = {r.name: r.paper.get(claim.metric) for r in table.rows if r.configs}
    better, baseline = stated[claim.row], stated[claim.baseline]
    assert claim.metric in table.metrics
    # Only the sum of the losses is in no table of its paper.
    assert better > baseline if baseline else "sum" in claim.baseline


def test_a_claim_that_nothing_bears_on_says_so(tmp_path):
    page = claims.page(str(tmp_path))
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert sum("| not run |" in line for line in lines) == sum(
        map(len, CLAIMS.values())
    )
