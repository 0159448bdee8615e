"""What a drawn person looks like: everything of an identity but its motion."""

import dataclasses

import numpy as np

from data_pipelines.synthetic import geometry

BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GLASSES = ("none", "round", "square", "thin")

# From the lightest to the darkest skin.
_SKIN = np.array(
    [
        (244, 214, 196),
        (238, 202, 178),
        (232, 190, 160),
        (220, 172, 138),
        (203, 150, 112),
        (184, 128, 90),
        (160, 106, 72),
        (132, 86, 60),
        (104, 68, 49),
        (80, 54, 42),
    ],
    float,
)
_HAIR = np.array(
    [
        (28, 24, 24),
        (48, 36, 30),
        (78, 54, 38),
        (112, 74, 46),
        (150, 106, 62),
        (198, 160, 100),
        (226, 198, 146),
        (146, 68, 36),
    ],
    float,
)
_GREY = np.array((186, 184, 182), float)
_IRIS = np.array(
    [(62, 40, 26), (88, 58, 34), (104, 88, 48), (74, 104, 128), (92, 118, 84)]
)


@dataclasses.dataclass(frozen=True)
class Look:
    """An identity. Colours are RGB, 0..255; the rest is in 0..1 unless stated.

    Attributes:
        shape: `(68, 3)` neutral face, see `geometry.face_shape`.
        habits: `(len(UNITS),)` how strongly each action unit moves, around 1.
        waves: `(32,)` standard normal: bumps of the hair and the like.
    """

    shape: np.ndarray
    habits: np.ndarray
    skin: np.ndarray
    hair: np.ndarray
    brow: np.ndarray
    iris: np.ndarray
    lips: np.ndarray
    garment: np.ndarray
    accent: np.ndarray
    hair_style: str
    volume: float
    beard: str
    glasses: str
    brow_width: float
    age: float
    makeup: float
    freckles: bool
    earrings: bool
    waves: np.ndarray

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Look":
        """An identity at random; the same draws in the same order every time."""
        steps = rng.standard_normal(len(geometry.TRAITS)).clip(-2.2, 2.2)
        traits = dict(zip(geometry.TRAITS, steps, strict=True))
        tone, age, male, u = rng.random(4)
        male = male < 0.5
        traits["jaw_width"] += 0.7 if male else -0.6
        traits["brow_height"] += -0.5 if male else 0.5
        traits["lip_fullness"] += (-0.4 if male else 0.3) + (0.8 if tone > 0.6 else 0)

        skin = _between(_SKIN, tone) * rng.uniform(0.97, 1.03, 3)
        shades = 3 if tone > 0.55 else len(_HAIR)
        natural = _HAIR[rng.integers(shades)] * rng.uniform(0.85, 1.15)
        grey = np.clip((age - 0.72) * 4, 0, 0.9) * (rng.random() < 0.8)
        hair = natural + grey * (_GREY - natural)
        dyed = rng.random() < 0.03
        bright = rng.uniform(50, 210, (2, 3))
        makeup = 0.0 if male else max(0.0, rng.uniform(-0.6, 1.0))
        lips = skin * (0.83, 0.62, 0.62) + (14, 4, 6)
        painted = (178, 46, 62) if rng.random() < 0.6 else (196, 98, 98)
        lips = lips + 0.6 * makeup * (np.array(painted) - lips)
        iris = _IRIS[rng.integers(2 if tone > 0.5 else len(_IRIS))]
        return cls(
            shape=geometry.face_shape(traits),
            habits=rng.uniform(0.88, 1.12, len(geometry.UNITS)),
            skin=skin.clip(0, 255),
            hair=bright[0] if dyed else hair.clip(0, 255),
            brow=np.minimum(hair * 0.62, skin * 0.62).clip(12, 255),
            iris=iris * rng.uniform(0.8, 1.2),
            lips=lips.clip(0, 255),
            garment=bright[1],
            accent=rng.uniform(20, 230, 3),
            hair_style=_hair_style(rng.random(), male, age),
            volume=rng.random(),
            beard=_beard(u, male),
            glasses=GLASSES[int(np.searchsorted((0.79, 0.86, 0.93), rng.random()))],
            brow_width=float(rng.uniform(0.3, 1.0) if male else rng.uniform(0, 0.7)),
            age=float(age),
            makeup=makeup,
            freckles=bool(tone < 0.35 and rng.random() < 0.2),
            earrings=bool(not male and rng.random() < 0.35),
            waves=rng.standard_normal(32).clip(-2, 2),
        )

    def groups(self) -> dict[str, str]:
        """What an owner might annotate of this person, by attribute."""
        # Limits between the thirds of the palette, as brightness.
        red, green, blue = self.skin
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        return {
            "age": "younger" if self.age < 0.5 else "older",
            "skin": "dark" if bright < 118 else "medium" if bright < 182 else "light",
            "glasses": "no" if self.glasses == "none" else "yes",
            "beard": "no" if self.beard == "none" else "yes",
        }


def _between(palette: np.ndarray, position: float) -> np.ndarray:
    """Colour at `position` in 0..1 along a palette."""
    at = position * (len(palette) - 1)
    low = min(int(at), len(palette) - 2)
    return palette[low] + (at - low) * (palette[low + 1] - palette[low])


def _hair_style(u: float, male: bool, age: float) -> str:
    if male:
        styles = ["short"] * 5 + ["side"] * 4 + ["buzz", "buzz", "fringe", "curly"]
        styles += ["afro", "beanie", "curtain", "long"]
        styles += ["bald", "receding", "receding"] if age > 0.5 else ["curly", "short"]
    else:
        styles = ["long"] * 4 + ["bob"] * 3 + ["curtain"] * 3 + ["fringe", "side"]
        styles += ["bun", "bun", "scarf", "scarf", "afro", "curly", "short", "beanie"]
    return styles[int(u * len(styles))]


def _beard(u: float, male: bool) -> str:
    if not male:
        return "none"
    return BEARDS[int(np.searchsorted([0.52, 0.68, 0.78, 0.86], u, side="right"))]
