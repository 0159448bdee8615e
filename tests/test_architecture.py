"""The rules of the house, checked on the source of every file."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
OURS = ("fer_tf", "data_pipelines", "trainers")
# Which of our packages each may import.
MAY_IMPORT = {
    "fer_tf": {"fer_tf"},
    "data_pipelines": {"data_pipelines", "fer_tf"},
    "trainers": set(OURS),
}
# Where TensorFlow may be imported in fer_tf: all else runs on any backend.
TENSORFLOW = {"faces", "export", "predictor.py"}
FILES = [p for package in OURS for p in sorted((ROOT / package).rglob("*.py"))]
by_name = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))


def imports(path, *, nested=True):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if nested else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@by_name
def test_imports_go_one_way(path):
    parts = path.relative_to(ROOT).parts
    for name in imports(path):
        top = name.split(".")[0]
        if top in OURS:
            assert top in MAY_IMPORT[parts[0]], f"{parts[0]} may not import {name}"
        if parts[0] == "fer_tf":
            assert not name.startswith(("absl.flags", "ml_collections")), name
        if parts[0] == "data_pipelines":
            # Batches know nothing of models, losses or flags.
            assert not re.match(r"fer_tf\.(models|losses|metrics|optimizers)", name)
            assert not name.startswith("absl.flags"), name
        if parts[:2] == ("trainers", "configs"):
            assert top in ("ml_collections", "trainers"), name
            assert top != "trainers" or name.startswith("trainers.configs"), name


@by_name
def test_tensorflow_stays_where_it_is_needed(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "fer_tf" and parts[1] not in TENSORFLOW:
        # A backend's own kernel is imported inside the function that calls it.
        names = {name.split(".")[0] for name in imports(path, nested=False)}
        assert "tensorflow" not in names


@by_name
def test_nothing_unsafe_or_private(path):
    tree = ast.parse(path.read_text())
    for name in imports(path):
        root = name.split(".")[0]
        assert root not in ("pickle", "joblib", "tf_keras", "dill", "cloudpickle"), name
        assert not name.startswith(("keras.src", "tensorflow.python")), name
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: assert"
        if isinstance(node, ast.Attribute):
            assert node.attr != "Lambda", f"{path}:{node.lineno}: Lambda layer"
        if isinstance(node, ast.keyword):
            unsafe = node.arg in ("safe_mode", "allow_pickle")
            if unsafe:
                expected = node.arg == "safe_mode"
                assert getattr(node.value, "value", None) is expected, node.arg


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name):
    """The package that a module lies in, or the module at a root's top itself."""
    return ".".join(name.split(".")[:2])


def circles(imported):
    """Names from which a way of imports leads back to them."""
    circling = set()
    for start in imported:
        seen, ahead = set(), list(imported[start])
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += imported.get(name, ())
        circling |= {start} & seen
    return circling


def test_neither_files_nor_packages_import_in_a_circle():
    names = {module(path): path for path in FILES}
    files = {
        name: {other for other in imports(path) if other in names}
        for name, path in names.items()
    }
    for name, path in names.items():
        if path.name == "__init__.py":
            files[name] = set()  # It gathers what lies below, and that may know it.
    assert not circles(files)
    rooms = {}
    for name, others in files.items():
        others = {room(other) for other in others}
        rooms.setdefault(room(name), set()).update(others - {room(name)})
    assert not circles(rooms)


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {*"abc"}


def test_one_version_everywhere():
    places = {
        "fer_tf/__init__.py": r'^__version__ = "(.+)"$',
        "setup.py": r'^    version="(.+)",$',
        "CITATION.cff": r"^version: (.+)$",
    }
    found = {
        name: re.search(pattern, (ROOT / name).read_text(), re.M)[1]
        for name, pattern in places.items()
    }
    assert len(set(found.values())) == 1, found
