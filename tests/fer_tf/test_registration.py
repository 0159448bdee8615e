"""`import fer_tf` is all that Keras' own `load_model` needs, in a new process."""

import ast
import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import fer_tf
from fer_tf import losses, metrics, models, optimizers
from fer_tf.model_io import catalog

# One of each family: each paper's and ours.
SMALL = {
    "two_att_two_mt": {"input_shape": (18, 18, 1), "width": 0.125},
    "mtanet_senet50": {"input_shape": (32, 32, 3), "width": 0.125},
    "meen_model3_separately": {"width": 0.125},
    "gan_rasnet": {"input_shape": (96, 96, 3), "width": 0.0625},
    "small_resnet": {"width": 0.125, "blocks": 1},
    "face_resnet29": {"width": 0.125},
}

LOADING = """
import {first}
import {second}
import json, sys
import numpy as np
for path in sys.argv[1:]:
    model = keras.models.load_model(path, compile={compiled})
    shape = (2, *model.inputs[0].shape[1:])
    image = np.linspace(0, 255, np.prod(shape)).reshape(shape).astype("float32")
    out = model(image, training=False)
    print(json.dumps({{k: float(np.abs(v).sum()) for k, v in out.items()}}))
    print(json.dumps(type(model.optimizer).__module__ if {compiled} else None))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Models as Keras' own `save` writes them, compiled with what is ours."""
    folder, expected = tmp_path_factory.mktemp("keras"), {}
    networks = {name: models.create_model(name, **SMALL[name]) for name in SMALL}
    networks |= {name: fer_tf.load(name) for name in catalog.read()["models"]}
    assert len(networks) == len(SMALL) + 2
    for name, model in networks.items():
        loss = {
            output: losses.CrossEntropy() if output == "expression" else None
            for output in model.output
        }
        if "expression" in loss:
            model.compile(
                optimizers.CoupledSGD(0.1), loss=loss,
                metrics={"expression": [metrics.MacroF1(8)]},
            )  # fmt: skip
        else:
            model.compile(optimizers.CoupledAdam(0.1), loss=None)
        shape = (2, *model.inputs[0].shape[1:])
        image = np.linspace(0, 255, np.prod(shape)).reshape(shape).astype("float32")
        out = model(image, training=False)
        path = str(folder / f"{name}.keras")
        model.save(path)
        expected[path] = {k: float(np.abs(v).sum()) for k, v in out.items()}
    return expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "first, second, compiled", [("fer_tf", "keras", True), ("keras", "fer_tf", False)]
)
def test_a_new_process_loads_what_keras_saved(first, second, compiled, saved):
    code = LOADING.format(first=first, second=second, compiled=compiled)
    result = subprocess.run(
        [sys.executable, "-c", code, *saved], capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    for path, found, optimizer in zip(saved, lines[::2], lines[1::2], strict=True):
        assert found == pytest.approx(saved[path], rel=1e-4), path
        assert not compiled or optimizer.startswith("fer_tf.optimizers"), path


def test_every_class_that_a_file_may_name_is_registered():
    """Whatever is decorated anywhere is imported by what `import fer_tf` imports."""
    root = pathlib.Path(fer_tf.__file__).parent
    names = {
        node.name
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and "register_keras_serializable" in "".join(map(ast.dump, node.decorator_list))
    }
    assert len(names) > 30
    code = (
        "import fer_tf, keras, json\n"
        "print(json.dumps(sorted(keras.saving.get_custom_objects())))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        timeout=300,
    )  # fmt: skip
    registered = json.loads(found.stdout.splitlines()[-1])
    assert {f"fer_tf>{name}" for name in names} <= set(registered)
    assert set(registered) <= set(keras.saving.get_custom_objects())


def test_importing_the_package_alone_imports_neither_keras_nor_tensorflow():
    code = (
        "import sys, time; start = time.process_time(); import fer_tf\n"
        "print(time.process_time() - start)\n"
        "assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    assert float(found.stdout) < 0.5


def test_keras_itself_stays_as_it_is():
    """Its loader still gives sources and files, and the finder has gone."""
    code = (
        "import sys, fer_tf\n"
        "assert any('BeforeKeras' in type(f).__name__ for f in sys.meta_path)\n"
        "import keras, inspect, importlib.resources\n"
        "assert not any('BeforeKeras' in type(f).__name__ for f in sys.meta_path)\n"
        "assert 'import' in inspect.getsource(keras)\n"
        "assert importlib.resources.files('keras').joinpath('__init__.py').is_file()\n"
        "import importlib; importlib.reload(fer_tf)\n"
        "assert not any('BeforeKeras' in type(f).__name__ for f in sys.meta_path)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
