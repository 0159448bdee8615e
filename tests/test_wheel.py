"""What `pip install` gives: every package and the models that ship, nothing else."""

import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = ("fer_tf", "data_pipelines", "trainers")
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", *PACKAGES)

_BUILD = "from setuptools import build_meta as b; b.build_wheel('wheel')"
_IMPORT = """
import importlib, pathlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    assert pathlib.Path(module.__file__).is_relative_to(sys.path[1]), module.__file__
import fer_tf
fer_tf.Predictor()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel's files, in a folder without a checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in (*SOURCES, "saved_models", "tests"):
        path = ROOT / name
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, source / name)
    result = subprocess.run(
        [sys.executable, "-c", _BUILD], cwd=source, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    (built,) = (source / "wheel").glob("*.whl")
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(built).extractall(folder)
    return folder


def files(folder, root, pattern):
    return {str(p.relative_to(root)) for p in folder.rglob(pattern) if p.is_file()}


@pytest.mark.slow
def test_it_holds_every_module_and_nothing_beside_our_packages(wheel):
    tops = {path.name for path in wheel.iterdir()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    for package in PACKAGES:
        ours = files(ROOT / package, ROOT, "*.py")
        assert files(wheel / package, wheel, "*.py") == ours


@pytest.mark.slow
def test_it_holds_the_models_that_ship(wheel):
    ours = files(ROOT / "saved_models", ROOT, "*")
    assert files(wheel / "fer_tf" / "saved_models", wheel / "fer_tf", "*") == ours


@pytest.mark.slow
def test_every_package_imports_from_it_and_the_model_that_ships_loads(wheel, tmp_path):
    names = [
        ".".join(path.parent.relative_to(wheel).parts)
        for path in wheel.rglob("__init__.py")
    ]
    assert len(names) > 30
    result = subprocess.run(
        [sys.executable, "-c", _IMPORT, *names], cwd=tmp_path,
        env={"PYTHONPATH": str(wheel), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
