"""`dtype_policy: "auto"`: bfloat16 where the machine multiplies it fast, else float32.

A processor without instructions for bfloat16 is far too slow in it: our small network
trains at 47 images a second in float32 and at less than one in bfloat16 (AMD EPYC, avx2
only, two threads, batch 32). With such instructions it depends on the maker. An EPYC
with avx512_bf16 is twice as fast as in float32; a Xeon with avx512_bf16 but without
amx_bf16 is little more than half as fast.
"""

import json
import os

import keras

BFLOAT16, FLOAT32 = "mixed_bfloat16", "float32"


def settle(config, workdir: str | None = None) -> None:
    """Replaces the policy "auto" by the one to use.

    Args:
        config: Of a run. A policy other than "auto" stays.
        workdir: Of the run. A run keeps the policy that it started with.
    """
    if config.dtype_policy != "auto":
        return
    kept = _kept(workdir) if workdir else None
    config.dtype_policy = kept or (FLOAT32 if config.deterministic else fastest())


def fastest(cpuinfo: str = "/proc/cpuinfo") -> str:
    """The policy that trains faster on this machine.

    Args:
        cpuinfo: Linux's description of the processors; other systems have none.
    """
    gpu = _gpu_has_bfloat16()
    if gpu is not None:
        return BFLOAT16 if gpu else FLOAT32
    amd = processor_facts(cpuinfo).get("vendor_id") == "AuthenticAMD"
    units = bfloat16_units(cpuinfo)
    return BFLOAT16 if "amx_bf16" in units or (amd and units) else FLOAT32


def bfloat16_units(cpuinfo: str = "/proc/cpuinfo") -> list[str]:
    """The processor's instructions for bfloat16, in alphabetic order."""
    units = processor_facts(cpuinfo).get("flags", "").split()
    return sorted({"amx_bf16", "avx512_bf16"} & set(units))


def processor_facts(cpuinfo: str = "/proc/cpuinfo") -> dict[str, str]:
    """What Linux says about the last processor; empty on other systems."""
    if not os.path.exists(cpuinfo):
        return {}
    with open(cpuinfo, encoding="utf-8") as file:
        pairs = [line.partition(":") for line in file if line.strip()]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _gpu_has_bfloat16():
    """Whether the GPU multiplies bfloat16 (Ampere and later); None without one."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return None
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "gpu":
            return None
        return float(getattr(device, "compute_capability", 0)) >= 8
    import torch

    return torch.cuda.is_bf16_supported(False) if torch.cuda.is_available() else None


def _kept(workdir):
    """The policy that the run of a workdir started with, or None."""
    try:
        with open(os.path.join(workdir, "config.json"), encoding="utf-8") as file:
            return json.load(file)["config"]["dtype_policy"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # `workdir.require_same` reports what is wrong.
