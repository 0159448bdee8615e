import json
import pathlib

import pytest

from trainers import readme
from trainers.publishing import worked_example


def summary():
    value = lambda mean: {"mean": mean, "interval": [mean - 0.1, mean + 0.1]}
    group = lambda mean: {"people": 30, "values": {"happiness": value(mean)}}
    pair = {"from": "before", "to": "after", "people": 20}
    pair["values"] = {"happiness": {
        **value(0.25), "larger": 19, "smaller": 1, "larger_interval": [0.751, 0.999],
    }}  # fmt: skip
    return {
        "models": [{"weights": "0123456789abcdef", "calibrated": False}],
        "groups": {"after": group(0.5), "before": group(0.375)},
        "differences": [pair],
    }


def test_the_kept_summary_is_a_table_with_its_commands(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", str(tmp_path))
    assert worked_example.table(str(tmp_path)) == "Nothing yet."
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(summary()))
    facts = dict(command="python -m a && python -m b", note="", machine="m")
    readme.add_summary(str(path), **facts)
    text = worked_example.table(str(tmp_path))
    head, _, row, *_ = text.splitlines()
    assert head == (
        "| reading | before (n = 30) | after (n = 30) | paired difference (n = 20) "
        "| interval holds 0 | larger in | as a share |"
    )
    assert row == (
        "| happiness | 0.375 [0.275, 0.475] | 0.500 [0.400, 0.600] "
        "| 0.250 [0.150, 0.350] | no | 19 of 20 | 0.950 [0.751, 0.999] |"
    )
    assert "`0123456789ab`, with uncalibrated" in text
    assert "```bash\npython -m a\npython -m b\n```" in text
    path.write_text(json.dumps({**summary(), "differences": []}))
    with pytest.raises(ValueError, match="one model and one paired difference"):
        readme.add_summary(str(path), **facts)


def test_the_kept_example_is_of_all_people_of_the_london_set():
    path = pathlib.Path(readme.RESULTS, f"{worked_example.NAME}.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert [kept["groups"][c]["people"] for c in ("neutral", "smiling")] == [102, 102]
    assert kept["person"] == "stem" and kept["left_out"] == {}
    (pair,) = kept["differences"]
    smiles = pair["values"]["happiness"]
    # As the pages say: in all of them. 0.025^(1/102) is the lower end.
    assert smiles["larger"] == pair["people"] == 102
    assert smiles["larger_interval"] == pytest.approx([0.025 ** (1 / 102), 1])
