"""Which dtype policy "auto" is, on machines described as Linux describes them."""

import json

import pytest

from tests.testing_utils import tiny_config
from trainers.training import precision


def described(folder, vendor, flags):
    path = folder / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu avx2 {flags}\n\n"
    )
    return str(path)


@pytest.mark.parametrize(
    "vendor, flags, policy",
    [
        ("AuthenticAMD", "", "float32"),
        ("AuthenticAMD", "avx512f avx512_bf16", "mixed_bfloat16"),
        # Measured: 0.58 times float32.
        ("GenuineIntel", "avx512f avx512_bf16", "float32"),
        ("GenuineIntel", "avx512_bf16 amx_bf16 amx_tile", "mixed_bfloat16"),
    ],
)
def test_bfloat16_where_the_processor_multiplies_it_fast(
    vendor, flags, policy, tmp_path, monkeypatch
):
    monkeypatch.setattr(precision, "_gpu_has_bfloat16", lambda: None)
    assert precision.fastest(described(tmp_path, vendor, flags)) == policy


def test_where_nothing_is_known_of_the_processor_it_is_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "_gpu_has_bfloat16", lambda: None)
    assert precision.fastest(str(tmp_path / "absent")) == "float32"


@pytest.mark.parametrize("has, policy", [(True, "mixed_bfloat16"), (False, "float32")])
def test_a_gpu_decides_before_the_processor(has, policy, monkeypatch):
    monkeypatch.setattr(precision, "_gpu_has_bfloat16", lambda: has)
    assert precision.fastest() == policy


def settled(policy, *, deterministic=False, workdir=None):
    config = tiny_config()
    config.dtype_policy, config.deterministic = policy, deterministic
    precision.settle(config, workdir)
    return config.dtype_policy


def test_a_run_keeps_what_it_began_with(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "fastest", lambda: "mixed_bfloat16")
    assert settled("auto", workdir=str(tmp_path)) == "mixed_bfloat16"
    began = {"config": {"dtype_policy": "float32"}}
    (tmp_path / "config.json").write_text(json.dumps(began))
    assert settled("auto", workdir=str(tmp_path)) == "float32"
    assert settled("mixed_float16", workdir=str(tmp_path)) == "mixed_float16"
    (tmp_path / "config.json").write_text("[]")
    assert settled("auto", workdir=str(tmp_path)) == "mixed_bfloat16"


def test_deterministic_runs_are_float32(monkeypatch):
    monkeypatch.setattr(precision, "fastest", lambda: "mixed_bfloat16")
    assert settled("auto", deterministic=True) == "float32"
