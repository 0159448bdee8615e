"""What lies beside a chain's files: how to install what reads them, and a README."""

from collections.abc import Sequence

from fer_tf.chain import description

_REQUIREMENTS = (
    "numpy>=2.0,<2.6",
    "opencv-python-headless>=4.12,<5.1",
    "pillow>=12.3,<14",
)
_RUNTIMES = {"onnx": "onnxruntime>=1.20", "litert": "ai-edge-litert>=2.1"}


def requirements(runtimes: Sequence[str]) -> list[str]:
    """All that `fer_tf.chain.Reader` imports; setup.py's extra `reader` is of ONNX.

    Args:
        runtimes: Keys of `fer_tf.chain.description.ENDINGS`.
    """
    return [*_REQUIREMENTS, *(_RUNTIMES[name] for name in runtimes)]


_README = """# {model}: from a photograph to its faces, without TensorFlow

Written by `python -m trainers.export --chain`.

| file | what it is | largest difference when it was checked |
|---|---|---|
{rows}
| `chain.json` | settings of the search, crop spec, names, threshold, sha256 | |

Install the reader. An extra can add TensorFlow and not take it away, so the package
comes without what it needs, and what the reader needs comes from the list:

```bash
pip install --no-deps PATH_OF_THE_CHECKOUT_OR_WHEEL
pip install -r requirements.txt
```

Read a photograph, in the folder that holds this one:

```python
from fer_tf.chain import Reader

faces = Reader("{folder}").predict("photo.jpg")
```

Each face is a dictionary as `fer_tf.Predictor` gives it. The network's outputs are
probabilities already: its scaling, the views ({views}) and the mean over them, and the
temperature ({temperature}) are inside. It says what a face shows, by the labels of its
data, and not what a person feels; the card of the model says what it cannot do.
"""

_ABOUT = {
    description.PROPOSAL: "MTCNN's P-Net, of one level: float32 RGB, 0..255",
    description.PROPOSAL_SHEET: "the same of several levels, with the gaps marked",
    description.REFINEMENT: "MTCNN's R-Net: patches of 24 pixels",
    description.OUTPUT: "MTCNN's O-Net: patches of 48 pixels",
    description.MODEL: "the expression network: uint8 crops by the crop spec",
}


def render(facts: dict, folder: str) -> str:
    """README.md of a chain.

    Args:
        facts: What its `chain.json` says.
        folder: Its name.
    """
    rows = []
    for file, differs in facts["checks"].items():
        about = _ABOUT[file.partition(".")[0]]
        largest = max(differs["largest_difference"].values())
        rows.append(f"| `{file}` | {about} | {largest:.2g} |")
    inside = facts["inside_the_network"]
    return _README.format(
        model=facts["model"],
        folder=folder,
        rows="\n".join(rows),
        views=inside["views"],
        temperature=inside["temperature"] or "none",
    )
