"""How much a written file's outputs differ from Keras', and how much they may."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limit:
    """What a format may cost.

    Probabilities, valence and arousal lie in -1..1. Where an output goes beyond, as
    of a network that is hardly trained, more may be lost, in proportion.

    Attributes:
        largest: Largest absolute difference of any output of any crop.
        mean: Mean absolute difference over an output.
        agreement: Least fraction of crops with the same likeliest expression.
    """

    largest: float
    mean: float
    agreement: float


ROUNDING = Limit(largest=1e-4, mean=1e-5, agreement=0.99)
"""The same float32 arithmetic in another order."""

HALVING = Limit(largest=0.02, mean=1e-3, agreement=0.98)
"""Sixteen bits. `ferplus_best`, on 3,137 test faces of FER+: at most 0.0018."""

QUANTIZATION = Limit(largest=0.25, mean=0.02, agreement=0.9)
"""Eight bits. `fer2013_best`, on FER2013's test split: 0.07, 0.003 and 99 %, and
an accuracy of 69.55 instead of 69.66 %."""


def compare(
    outputs: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    labels: np.ndarray | None = None,
) -> dict:
    """Differences between two ways of running one model.

    Args:
        outputs: Outputs by name, each `(n, ...)`.
        expected: Keras' outputs, of the same names and shapes.
        labels: True expressions `(n,)`, where they are known.

    Returns:
        `crops`; by output `largest_difference`, `mean_difference` and
        `largest_value`, Keras'; with probabilities of expressions `agreement`, and
        with labels `accuracy` and `keras_accuracy`.

    Raises:
        ValueError: If the outputs are not the same ones.
    """
    shapes = [{k: np.shape(v) for k, v in d.items()} for d in (outputs, expected)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"gives {shapes[0]}, but Keras gives {shapes[1]}")
    # NaN is as different as can be.
    gaps = {
        name: np.nan_to_num(np.abs(outputs[name] - expected[name]), nan=np.inf)
        for name in expected
    }
    report = {
        "crops": len(next(iter(expected.values()))),
        "largest_difference": {k: float(v.max()) for k, v in gaps.items()},
        "mean_difference": {k: float(v.mean()) for k, v in gaps.items()},
        "largest_value": {k: float(np.abs(v).max()) for k, v in expected.items()},
    }
    if "probabilities" in expected:
        ours, keras = (x["probabilities"].argmax(-1) for x in (outputs, expected))
        report["agreement"] = float(np.mean(ours == keras))
        if labels is not None:
            report["accuracy"] = float(np.mean(ours == labels))
            report["keras_accuracy"] = float(np.mean(keras == labels))
    return report


def require(report: dict, limit: Limit, what: str, *, reference: str = "Keras") -> None:
    """Raises a ValueError if a report exceeds a limit."""
    for key, bound in (("largest", limit.largest), ("mean", limit.mean)):
        for output, value in report[f"{key}_difference"].items():
            allowed = bound * max(1.0, report["largest_value"][output])
            if not value <= allowed:
                raise ValueError(
                    f"{what}: {output} differs from {reference} by {value:.2g} "
                    f"({key} of {report['crops']} crops), more than "
                    f"{allowed:g}: not written"
                )
    if report.get("agreement", 1.0) < limit.agreement:
        raise ValueError(
            f"{what}: agrees with Keras on {report['agreement']:.1%} of "
            f"{report['crops']} crops, less than {limit.agreement:.0%}: not written"
        )
