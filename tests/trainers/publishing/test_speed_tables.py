"""The table of speeds: every job with its peer, its aim and its machine."""

import json

import pytest

from trainers.publishing import kept_results, speed_tables


@pytest.fixture
def table(tmp_path):
    """`table(**results)`: the page's part where these results are kept."""

    def write(**results):
        for name, values in results.items():
            text = json.dumps({"device": "CPU", "command": f"c {name}", **values})
            (tmp_path / f"speed_{name}.json").write_text(text)
        return speed_tables.speed(str(tmp_path))

    return write


def step(ratio, **changes):
    return dict(
        model="a", dtype_policy="float32", parameters=12, gflops_per_image=0.5,
        batch_size=64, images_per_second=3.0, stock_keras_per_second=3.0 / ratio,
        stock_keras_ratio=ratio, peak_memory_mib=1000.0, **changes,
    )  # fmt: skip


def test_nothing_is_said_of_nothing(tmp_path):
    assert speed_tables.speed(str(tmp_path)) == kept_results.NONE


def test_a_rate_stands_in_the_table_and_below_it_with_its_command(table):
    values = dict(what="input", images_per_second=1234.5, memory_growth_mib=0.0)
    text = table(input=values)
    row = "| input pipeline | 1,234 images/s |  |  |  | CPU | `--what=input` |"
    assert row in text
    rates = "On CPU: images per second 1,234.50, memory growth mib 0.00."
    assert kept_results.command_block(rates, "c input") in text


def test_detection_has_a_row_for_each_way_that_was_measured(table):
    values = dict(
        what="detect", images_per_second=40.0, stock_per_second=10.0, stock_ratio=4.0,
        batched_per_second=50.0, batched_ratio=5.0,
    )  # fmt: skip
    assert table(detect=values).count("| stock `mtcnn`: 10.0 |") == 2
    text = table(detect=values | dict(larger_per_second=110.0, larger_ratio=11.0))
    row = (
        "no face below 40 pixels | 110.0 photographs/s | stock `mtcnn`: 10.0 | 11.00 |"
    )
    assert row in text and text.count("| stock `mtcnn`: 10.0 |") == 3


def test_of_many_networks_the_slowest_stands_in_the_table(table):
    models = dict(a=step(1.5), b=step(0.75) | {"model": "b"}, c=step(2.0))
    text = table(train=dict(what="train", models=models))
    overview, details = text.split("\n\n", 1)
    assert "`b`, float32, the least ratio of 3 networks" in overview
    assert "| 3.0 images/s | stock Keras: 4.0 | 0.75 | 1 |" in overview
    assert overview.count("\n") == 2
    assert "| `a` | 12 | 0.50 | 64 | 3.0 | 1.50 | 1,000 |" in details


def test_arithmetic_is_set_against_that_of_a_product(table):
    sums = dict(gflops_per_second=379.2, product_gflops_per_second=470.6)
    text = table(train_a=dict(what="train", **step(1.0, **sums)))
    assert "3.0 images/s; 379 GFLOP/s, where a product of matrices has 471" in text


def test_auto_is_set_against_the_better_policy(table):
    both = lambda f, b: dict(
        batch_size=8, float32_per_second=f, mixed_bfloat16_per_second=b,
        auto_ratio=b / max(f, b),
    )  # fmt: skip
    models = dict(a=both(10.0, 20.0), b=both(10.0, 8.0))
    text = table(precision=dict(what="precision", auto="mixed_bfloat16", models=models))
    assert (
        "| `auto` takes mixed_bfloat16; `b`, its worst of 2 | 8.0 images/s "
        "| float32: 10.0 | 0.80 of the better | 0.97 |"
    ) in text
    assert "| `a` | 8 | 10.0 | 20.0 |" in text


def test_a_policy_that_a_processor_lacks_is_said_not_to_have_run(table):
    only = dict(a=dict(batch_size=8, float32_per_second=10.0, auto_ratio=1.0))
    text = table(precision=dict(what="precision", auto="float32", models=only))
    assert "| 10.0 images/s | mixed_bfloat16: not run | 1.00" in text
    assert "| `a` | 8 | 10.0 | not run |" in text


def test_growth_names_its_sizes_and_slopes(table):
    job = {"of": "pixels", "sizes": [1000, 4000], "seconds": [0.5, 1.0], "slope": 0.5}
    text = table(growth=dict(what="growth", jobs={"detect": job}))
    assert (
        "| growth: detect against pixels | slope 0.50 | 1,000 to 4,000 |  | 1 |" in text
    )
    assert "| detect | 1,000 · 4,000 pixels | 0.500 · 1.000 | 0.50 |" in text
