"""One training of a table: its command, its config, and whether it is done."""

import dataclasses
import importlib
import os
import runpy
import shlex
from collections.abc import Iterable, Mapping

from data_pipelines.batches.pipeline import open_prepared
from trainers import configs
from trainers.common import child
from trainers.training import assembly, overrides, workdir


@dataclasses.dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        config: Name in `trainers/configs/`, or path of another config's file.
        data: Prepared folders, as `--data` takes them.
        path: Its workdir.
        changes: What is not as the config has it, by key, as text.
    """

    config: str
    data: str
    path: str
    changes: Mapping[str, str]

    @property
    def name(self) -> str:
        """What it is called in what is printed."""
        return os.path.basename(self.path)

    @property
    def finished(self) -> bool:
        """Whether it is trained and reported."""
        return os.path.exists(os.path.join(self.path, "report.md"))

    @property
    def arguments(self) -> list[str]:
        """Of `trainers.train`."""
        return [
            f"--config={config_file(self.config)}",
            f"--data={self.data}",
            f"--workdir={self.path}",
            *(f"--config.{key}={text}" for key, text in self.changes.items()),
        ]

    @property
    def command(self) -> str:
        """What a user would type."""
        return f"python -m trainers.train {shlex.join(self.arguments)}"

    def load(self):
        """The config, with its changes.

        Raises:
            UsageError: If there is no such key, or it cannot be that.
        """
        config = load_config(self.config)
        for key, text in self.changes.items():
            overrides.set_value(config, key, text)
        return config

    def train(self) -> int:
        """Trains it, or goes on with it; returns the exit status."""
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        return child.call("trainers.train", self.arguments, log=f"{self.path}.log")


def check(runs: Iterable[Run]) -> None:
    """Refuses runs of which the workdir holds others, before any is trained.

    Raises:
        ValueError: If one was begun with another config or other data.
    """
    for run in runs:
        if os.path.isdir(run.path):
            config, prepared = run.load(), open_prepared(run.data)
            assembly.complete(config, prepared, run.path)
            workdir.require_same(run.path, config, prepared)


def config_file(name: str) -> str:
    """Path of a config, short where it lies below the current folder."""
    if name.endswith(".py"):
        return name
    path = os.path.join(os.path.dirname(configs.__file__), f"{name}.py")
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def load_config(name: str):
    """A config as its file has it."""
    if name.endswith(".py"):
        return runpy.run_path(name)["get_config"]()
    return importlib.import_module(f"trainers.configs.{name}").get_config()
