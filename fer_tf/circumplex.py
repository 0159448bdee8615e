"""Valence and arousal that follow from expressions, by published norms of their words.

Russell and Mehrabian 1977 ("Evidence for a three-factor theory of emotions", Journal of
Research in Personality 11, 273-294) had people rate emotion words for pleasure and
arousal, each in -1 to 1. A face's shares of expressions, whether raters' votes or a
model's probabilities, times these means are a point of the circumplex. It is *derived*:
nobody rated the face itself for valence or arousal.

Deviations, and what the norms leave open:
    - Neutral is the origin by definition; it is no word of the norms.
    - Contempt is left out, and the other shares stand for the whole: its values are
      quoted differently wherever they are quoted (-.55 .20, -.55 .10 and others).
"""

from collections.abc import Sequence

import numpy as np

from fer_tf import labels

NORMS = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "fear": (-0.64, 0.60),
    "disgust": (-0.60, 0.35),
    "anger": (-0.51, 0.59),
}
"""(valence, arousal) of each expression: pleasure and arousal of happy, sad,
surprised, fearful, disgusted and angry."""


def circumplex(shares, expressions: Sequence[str] = labels.EXPRESSIONS) -> np.ndarray:
    """Valence and arousal of shares of expressions: the mean of the norms.

    Args:
        shares: `(..., n)`, not negative: votes or probabilities of the expressions.
            They need not sum to 1.
        expressions: Names of the n columns. One without norms (contempt, "unknown")
            is left out.

    Returns:
        float64 `(..., 2)` in [-1, 1]; NaN where nothing has norms.

    Raises:
        ValueError: If there are not as many shares as expressions.

    Example:
        >>> circumplex([1, 1, 2], ["happiness", "neutral", "contempt"]).tolist()
        [0.405, 0.255]
    """
    shares = np.asarray(shares, np.float64)
    if shares.ndim == 0 or shares.shape[-1] != len(expressions):
        raise ValueError(
            "`shares` must have a column for each of `expressions`. "
            f"Received: shape={shares.shape}, {len(expressions)} expressions."
        )
    known = np.array([name in NORMS for name in expressions], np.float64)
    norms = np.array([NORMS.get(name, (0.0, 0.0)) for name in expressions])
    with np.errstate(invalid="ignore"):
        return (shares @ norms) / (shares @ known)[..., None]
