"""Installs fer-tf: the library, the data pipelines and the commands."""

import pathlib

from setuptools import find_packages, setup

README = (pathlib.Path(__file__).parent / "README.md").read_text(encoding="utf-8")
# Nothing else that lies in a checkout is installed.
ROOMS = [
    f"{root}{below}"
    for root in ("fer_tf", "data_pipelines", "trainers")
    for below in ("", ".*")
]

setup(
    name="fer-tf",
    version="0.1.0",
    description="Facial expression recognition: four papers rebuilt on Keras 3",
    long_description=README,
    long_description_content_type="text/markdown",
    license="MIT",
    # TensorFlow of these bounds has no wheels for later ones.
    python_requires=">=3.11,<3.14",
    packages=[*find_packages(include=ROOMS), "fer_tf.saved_models"],
    # The models that ship lie at the top level of the checkout, and inside the
    # package once installed.
    package_dir={"fer_tf.saved_models": "saved_models"},
    package_data={
        "fer_tf.saved_models": ["*.json", "*.md", "*/*", "*/*/*", "*/*/*/*"],
        "fer_tf.export": ["page/*"],
    },
    # The upper bounds are the newest releases that the tests have passed on; the lower
    # ones leave out those with known holes in what reads strangers' files.
    install_requires=[
        "tensorflow>=2.20,<2.22",
        "keras>=3.14.1,<3.16",
        "mtcnn>=1.0,<1.1",
        # The build of opencv-python without windows: the same `cv2`, which then
        # imports where no display library is installed.
        "opencv-python-headless>=4.12,<5.1",
        "numpy>=2.0,<2.6",
        "scikit-learn>=1.5,<1.10",
        "scipy>=1.13,<1.19",
        "absl-py>=2.1,<3",
        "ml-collections>=1.0,<2",
        "matplotlib>=3.9,<4",
        "pillow>=12.3,<14",
        "h5py>=3.13,<4",
        "tensorboard>=2.19,<2.22",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20,<2.22"],
        # Beside it pip takes an older protobuf, which TensorFlow works with too.
        "beam": ["apache-beam>=2.65"],
        "convert": ["safetensors>=0.4"],
        "demo": ["scikit-image>=0.24"],
        # To read prepared folders by; writing them needs none of it.
        "tfds": ["tensorflow-datasets>=4.9"],
        # Beside it pip takes Pillow 12, the newest that it allows.
        "web": ["gradio>=6.16,<7"],
        "video": ["av>=16"],
        # Frames of faces, and predictions.parquet.
        "table": ["pandas>=2.2,<4", "pyarrow>=17"],
        # What runs LiteRT files once TensorFlow's own copy is gone.
        "litert": ["ai-edge-litert>=2.1"],
        # All that fer_tf.chain.Reader imports. An extra adds and cannot leave out what
        # the package itself asks for: fer_tf/chain/README.md has the small install.
        "reader": [
            "numpy>=2.0,<2.6",
            "opencv-python-headless>=4.12,<5.1",
            "pillow>=12.3,<14",
            "onnxruntime>=1.20",
        ],
        # trainers.serve.
        "serve": [
            "onnxruntime>=1.20",
            "starlette>=1.0,<2",
            "uvicorn>=0.30,<1",
            "python-multipart>=0.0.20",
        ],
        # For ONNX. Keras writes it with tf2onnx, from 1.17 on beside NumPy 2.
        "export": ["tf2onnx>=1.17", "onnxruntime>=1.20"],
        "docs": [
            "mkdocs-material>=9.7,<10",
            "mkdocstrings[python]>=1.0,<2",
            "ruff>=0.6",
        ],
        "dev": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
            "ai-edge-litert>=2.1",
            "av>=16",
            "axe-playwright-python>=0.1.8",  # With an installed Chromium: the page.
            "nbclient>=0.10",
            "ipykernel>=6.29",
            "httpx>=0.27",  # Asks the service.
            "hypothesis>=6.100",
            "jax>=0.4.34",
            "onnxruntime>=1.20",
            "pandas>=2.2,<4",
            "pyarrow>=17",
            "python-multipart>=0.0.20",
            "safetensors>=0.4",
            "scikit-image>=0.24",
            "setuptools>=78.1.1",  # Of the wheel that the tests build.
            "starlette>=1.0,<2",
            "tf2onnx>=1.17",
            "uvicorn>=0.30,<1",
        ],
    },
)
