"""Cards from strangers: each hazard is one clear line, and nothing else."""

import resource
import time

import pytest

from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io.card import CARD, unsure_below
from tests.fer_tf.model_io.small_folders import (
    ARGUMENTS,
    change_card,
    refused,
)


def spec(**changes):
    return {**CROP_SPECS["meen"].to_dict(), **changes}


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"schema_version": 9}, "schema 9, this version reads 1"),
        ({"views": "all"}, "views must be one of center, center_mirror, ten_crop"),
        ({"average": ["logits"]}, "average must be one of"),
        ({"model": "resnet"}, "describes no model of this version .*resnet"),
        ({"model": ["small_resnet"]}, "model must be a str"),
        ({"arguments": {"depth": 3}}, "describes no model of this version .*depth"),
        ({"arguments": []}, "arguments must be a dict"),
        ({"expressions": ["neutral"]}, "1 expressions, but the model predicts 7"),
        ({"expressions": "neutral"}, "expressions must be a list of at most 1,000"),
        ({"expressions": ["=HYPERLINK(1)"] * 7}, "'=HYPERLINK.*must begin with a le"),
        ({"action_units": ["AU1", "au1"]}, "action_units: the name 'au1' comes twice"),
        ({"expressions": [""]}, "is empty"),
        ({"expressions": ["Au1", *"abcdef"]}, "units: the name 'AU1' comes twice"),
        ({"expressions": ["a\x1b[2J"]}, "cannot be printed"),
        ({"trained": "expression"}, "trained must be a list of names"),
        ({"crop_spec": {"version": 99}}, "version 99"),
        ({"crop_spec": None}, "must be a dict"),
        ({"crop_spec": spec(size=40)}, "size is 40, but the model takes 44x44"),
        ({"crop_spec": spec(color="rgb")}, "color is 'rgb', but the model takes"),
        ({"crop_spec": spec(value_range=(0, 1))}, r"value_range is \(0, 1\), but"),
        ({"crop_spec": spec(mean=(9.5,))}, r"mean is \(9.5,\), but models subtract"),
        ({"crop_spec": spec(mean=5)}, "model.json: `mean` must be finite numbers"),
        ({"crop_spec": spec(mean=None)}, "`mean` must be finite numbers"),
        ({"crop_spec": spec(tilt=1)}, "unknown fields: tilt"),
        ({"crop_spec": spec(size=30_000)}, r"`size` must be a whole number in 1..1024"),
        ({"crop_spec": spec(size=10**400)}, r"`size` must be a whole number in"),
        ({"crop_spec": spec(template=[[0.5, 0.5]] * 5)}, "`template` .*on a line or a"),
        (
            {"crop_spec": spec(template=[[i / 5, i / 7] for i in range(5)])},
            "model.json: `template` must be five points that do not lie on a line",
        ),
        ({"crop_spec": spec(template=[[1e300, 0]] * 5)}, "`template` must be"),
        ({"crop_spec": spec(margin=1e9)}, r"`margin` must be a number in 0..10"),
        ({"arguments": {"input_shape": [30_000, 30_000, 1]}}, "larger than 1024 pixel"),
        ({"arguments": {"input_shape": [44.0, 44, 1]}}, "input_shape must be"),
        ({"arguments": {"input_shape": "abc"}}, "input_shape must be"),
        (
            {"arguments": {"num_classes": -1}},
            "num_classes must be of numbers",
        ),
        ({"arguments": {"width": 1e12}}, "width must be of numbers in 0..1e9"),
        ({"arguments": {"stage_filters": [[8, 10**400]]}}, "stage_filters must be of"),
    ],
)
def test_cards_that_describe_nothing(changes, match, folder):
    change_card(folder, **changes)
    refused(folder, match)


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"width": 64}, "larger than its file, which holds .* numbers"),
        ({"width": 1e9}, "larger than its file"),
        ({"width": 10**400}, "width must be of numbers"),
        ({"width": float("inf")}, "not valid JSON .Infinity is no number"),
        ({"width": float("nan")}, "not valid JSON .NaN is no number"),
        ({"blocks": 100_000}, "larger than its file"),
        ({"blocks": 1e9}, "describes no model of this version"),
        ({"stage_filters": [10**6]}, "larger than its file"),
        ({"stage_filters": [8] * 100_000}, "stage_filters must be .*not of many"),
        ({"num_classes": 10**9}, "larger than its file"),
        ({"dropout_rate": 7}, "describes no model of this version"),
        ({"stage_filters": {"a": 1}}, "describes no model of this version"),
    ],
)
def test_a_network_that_its_file_cannot_fill_is_not_built(arguments, match, folder):
    """What a card describes is bounded by the weights beside it, before it is made."""
    change_card(folder, arguments={**ARGUMENTS, **arguments})
    before, start = _peak(), time.process_time()
    refused(folder, match)
    assert time.process_time() - start < 2
    assert _peak() - before < 500e6


def _peak():
    """Most bytes that this process had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    "text, match",
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "not a model card"),
        (b'{"schema_version": 1}', "lacks model, arguments"),
        (b" " * (1 << 21), "too large to be a model card"),
    ],
)
def test_cards_that_are_none(text, match, folder):
    (folder / CARD).write_bytes(text)
    refused(folder, match)


def test_the_threshold_of_unsure_is_the_last_splits_80_percent_row():
    rows = lambda *levels: {
        "calibration": {
            "coverage": [
                {"coverage": coverage, "confidence": level}
                for coverage, level in zip((1.0, 0.9, 0.8, 0.7), levels)
            ]
        }
    }
    both = {"validation": rows(0.1, 0.2, 0.3, 0.4), "test": rows(0.2, 0.3, 0.44, 0.5)}
    assert unsure_below({"measured": both}) == 0.44
    assert unsure_below({"measured": {"validation": rows(0, 0, 0.3)}}) == 0.3
    others = [{"test": rows(0, 0, level)} for level in ("x", 80.0, None)]
    others.append({"test": {"calibration": {"coverage": 3}}})
    for bad in (None, [], {"test": 7}, {"test": rows(1)}, *others):
        assert unsure_below({"measured": bad}) is None
