import os

import keras

import fer_tf
from trainers.speed import timing

# Linux lists every processor so.
CPUINFO = """\
processor\t: 0
model name\t: A Processor 7:2
flags\t\t: fpu avx512_bf16 amx_bf16 sse

processor\t: 1
model name\t: A Processor 7:2
flags\t\t: fpu avx512_bf16 amx_bf16 sse
"""


def test_a_measurement_names_its_processor_where_linux_does(tmp_path):
    threads = f"CPU, {len(os.sched_getaffinity(0))} threads"
    path = tmp_path / "cpuinfo"
    assert timing.processor(str(path)) == threads
    path.write_text(CPUINFO)
    named = f"{threads}, A Processor 7:2, amx_bf16, avx512_bf16"
    assert timing.processor(str(path)) == named
    # An ARM processor has no model name there.
    path.write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert timing.processor(str(path)) == threads


def inside(model):
    for layer in model.layers:
        yield from inside(layer) if isinstance(layer, keras.Model) else [layer]


def test_a_network_inside_is_compared_as_stock_layers_too():
    ours = fer_tf.create_model("meen_model3_facial", width=0.0625)
    stock = timing.stock_model(ours)
    faster = ("BatchNormalization", "GroupedConv2D", "SmallMapConv2D")
    layers = lambda model: [k for k in inside(model) if type(k).__name__ in faster]
    assert len(layers(ours)) == len(layers(stock)) + 32  # SmallMapConv2D of two VGG19s.
    assert all(type(layer).__module__.startswith("keras.") for layer in layers(stock))
    assert stock.count_params() == ours.count_params()
    # The face network is frozen in either.
    assert len(stock.trainable_weights) == len(ours.trainable_weights)


def test_both_policies_are_timed_and_auto_is_one_of_them(monkeypatch):
    rates = {"float32": [10.0, 12.0, 11.0], "mixed_bfloat16": [22.0, 20.0, 5.0]}
    monkeypatch.setattr(timing, "stepping", lambda name, policy, size: policy)
    monkeypatch.setattr(
        timing, "in_turns", lambda runs, size, seconds: {p: rates[p] for p in runs}
    )
    monkeypatch.setattr(timing.precision, "bfloat16_units", lambda *_: ["avx512_bf16"])
    for auto, ratio in (("float32", 0.55), ("mixed_bfloat16", 1.0)):
        monkeypatch.setattr(timing.precision, "fastest", lambda auto=auto: auto)
        found = timing.policies(["a"], batch_size=8, seconds=0)
        assert found["auto"] == auto
        assert found["models"]["a"]["mixed_bfloat16_per_second"] == 20.0
        assert found["models"]["a"]["auto_ratio"] == ratio
    # Without instructions for it, bfloat16 is not tried: it would take hours.
    monkeypatch.setattr(timing.precision, "bfloat16_units", lambda *_: [])
    monkeypatch.setattr(timing.precision, "fastest", lambda: "float32")
    only = timing.policies(["a"], batch_size=8, seconds=0)["models"]["a"]
    assert only == {"batch_size": 8, "float32_per_second": 11.0, "auto_ratio": 1.0}
