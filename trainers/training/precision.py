"""`dtype_policy: "auto"`: bfloat16 where the machine multiplies it fast, else float32.

Without instructions for bfloat16 a processor hardly trains convolutions in it: our
small network at 47 images a second in float32, at less than one in bfloat16 (AMD EPYC,
avx2 alone, two threads, batch 32). With them it depends on the maker: on an EPYC with
avx512_bf16 it is twice as fast as float32, on a Xeon with avx512_bf16 and without
amx_bf16 little more than half as fast.
"""

import json
import os

import keras

BFLOAT16, FLOAT32 = "mixed_bfloat16", "float32"


def settle(config, workdir: str | None = None) -> None:
    """Puts the policy that is used in the place of "auto".

    Args:
        config: Of a run; one with another policy stays as it is.
        workdir: Of the run: what it began with is kept, whatever this machine is.
    """
    if config.dtype_policy != "auto":
        return
    kept = _kept(workdir) if workdir else None
    config.dtype_policy = kept or (FLOAT32 if config.deterministic else fastest())


def fastest(cpuinfo: str = "/proc/cpuinfo") -> str:
    """The policy that trains faster on this machine.

    Args:
        cpuinfo: Linux's description of the processors; elsewhere it is not there.
    """
    gpu = _gpu_has_bfloat16()
    if gpu is not None:
        return BFLOAT16 if gpu else FLOAT32
    facts = processor_facts(cpuinfo)
    units = facts.get("flags", "").split()
    amd = facts.get("vendor_id") == "AuthenticAMD"
    fast = "amx_bf16" in units or (amd and "avx512_bf16" in units)
    return BFLOAT16 if fast else FLOAT32


def processor_facts(cpuinfo: str = "/proc/cpuinfo") -> dict[str, str]:
    """What Linux says of the last processor; empty elsewhere."""
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
    """The policy that a workdir's run began with, or None."""
    try:
        with open(os.path.join(workdir, "config.json"), encoding="utf-8") as file:
            return json.load(file)["config"]["dtype_policy"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # What is wrong with it, `workdir.require_same` says.
