"""What lies beside a chain's files: how to install what reads them, and a README."""

REQUIREMENTS = (
    "numpy>=2.0,<2.6",
    "opencv-python-headless>=4.12,<5.1",
    "pillow>=12.3,<14",
    "onnxruntime>=1.20",
)
"""All that `fer_tf.chain.Reader` imports; the extra `reader` of setup.py too."""

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
    "pnet.onnx": "MTCNN's P-Net, of one level: float32 RGB, 0..255",
    "pnet_sheet.onnx": "the same of several levels, with a channel for the gaps",
    "rnet.onnx": "MTCNN's R-Net: patches of 24 pixels",
    "onet.onnx": "MTCNN's O-Net: patches of 48 pixels",
    "model.onnx": "the expression network: uint8 crops by the crop spec",
}


def render(facts: dict, folder: str) -> str:
    """README.md of a chain.

    Args:
        facts: What its `chain.json` says.
        folder: Its name.
    """
    rows = []
    for file, about in _ABOUT.items():
        largest = max(facts["checks"][file]["largest_difference"].values())
        rows.append(f"| `{file}` | {about} | {largest:.2g} |")
    inside = facts["inside_the_network"]
    return _README.format(
        model=facts["model"],
        folder=folder,
        rows="\n".join(rows),
        views=inside["views"],
        temperature=inside["temperature"] or "none",
    )
