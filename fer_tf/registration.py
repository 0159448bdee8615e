"""Makes Keras know the classes of this package that a `.keras` file may name.

A class is registered when its module is imported, which takes Keras. So that
`import fer_tf` stays cheap, that happens as soon as Keras is there: at once, or when
somebody imports it.
"""

import importlib.abc
import importlib.util
import sys

_PACKAGES = ("layers", "losses", "metrics", "optimizers")


def register_with_keras() -> None:
    """Registers every layer, loss, metric and optimizer now or with Keras."""
    if sys.modules.get("keras") is not None:
        _register()
    else:
        sys.meta_path.insert(0, _BeforeKeras())


def _register():
    for package in _PACKAGES:
        importlib.import_module(f"fer_tf.{package}")


class _BeforeKeras(importlib.abc.MetaPathFinder):
    """Finds nothing itself; notes that Keras is about to be imported."""

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
