import json

from tests.trainers.publishing.drawn_table import drawn_table
from trainers.publishing import kept_results, paper_tables


def test_a_table_sets_the_papers_values_beside_ours_with_their_spread():
    text = paper_tables.paper_table(drawn_table())
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


def test_a_kept_table_says_how_it_was_made_and_what_of_the_paper_holds(tmp_path):
    one = {"row": "Ours", "baseline": "Theirs", "metric": "accuracy", "paper": 0.1,
           "ours": 0.05, "interval": [0.01, 0.09], "verdict": "holds"}  # fmt: skip
    kept = drawn_table(
        differences=[one, {**one, "metric": "nll", "verdict": "not decided"}],
        derived=["valence_arousal"],
        setting={"width": [0.5, 0.5], "size": [48, 48], "epochs": [4, 4],
                 "seeds": [3, 3], "hours": 2.0},
    )  # fmt: skip
    text = paper_tables.paper_table(kept)
    title = "**T; width 0.5, 48 pixels, 4 epochs, seeds: 3, 2.0 hours**"
    assert text.startswith(f"{title}, on synthetic, with derived valence_arousal")
    assert "| Ours | Theirs | accuracy | +0.100 | +0.050 [0.010, 0.090] |" in text
    assert "- Ours against Theirs: holds in accuracy; not decided in nll." in text
    assert "Theirs | nll" not in text  # One metric for each kind of label.
    (tmp_path / "wang_1.json").write_text(json.dumps(kept))
    overview = paper_tables.papers_overview(str(tmp_path))
    assert "| synthetic, derived labels † |" in overview


def test_the_overview_has_first_numbers_and_the_papers_own_data_first(tmp_path):
    assert paper_tables.papers_overview(str(tmp_path)) == kept_results.NONE
    own = {**drawn_table(), "table": "zhang_1", "paper_dataset": "synthetic"}
    own["rows"][0]["ours"]["au_f1"] = own["rows"][0]["std"]["au_f1"] = 0.125
    for name, table in (("wang_1", drawn_table()), ("zhang_1", own)):
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


def test_a_row_that_is_anothers_runs_stands_once():
    table = drawn_table()
    # The same without published weights: the runs of "Ours", which are from scratch.
    twin = dict(table["rows"][0], row="Tuned", configs=["tuned"])
    table["rows"].insert(0, twin)
    assert "Tuned" not in paper_tables.paper_table(table)
    twin["commands"] = ["b"]
    assert "Tuned" in paper_tables.paper_table(table)


def _row(name, paper, ours, std, seeds=3, interval=(0.0, 0.0)):
    return {
        "clean": dict(
            row=name, seeds=seeds, paper=dict(ccc=paper), ours=dict(ccc=ours),
            std=dict(ccc=std) if std else None, intervals=dict(ccc=list(interval)),
        )
    }  # fmt: skip


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
