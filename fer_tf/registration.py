"""Registers with Keras the classes of this package that a `.keras` file may name.

A class is registered when its module is imported, and that imports Keras. So that
`import fer_tf` stays cheap, the modules are imported together with Keras: at once if
Keras is imported already, else as soon as it is.
"""

import importlib.abc
import importlib.util
import sys

_PACKAGES = ("layers", "losses", "metrics", "optimizers")


def register_with_keras() -> None:
    """Registers every layer, loss, metric and optimizer, now or with Keras's import."""
    if sys.modules.get("keras") is not None:
        _register()
    else:
        sys.meta_path.insert(0, _BeforeKeras())


def _register():
    for package in _PACKAGES:
        importlib.import_module(f"fer_tf.{package}")


class _BeforeKeras(importlib.abc.MetaPathFinder):
    """Lets others find Keras, and registers the classes once it is executed."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                _register()

            spec.loader.exec_module = execute_and_register
        return spec
