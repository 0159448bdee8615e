"""The runs that a table needs: configs, data, order."""

import dataclasses
import importlib.util
import os
from collections.abc import Mapping, Sequence

from data_pipelines.preparation import folds
from data_pipelines.sources import DataError
from data_pipelines.storage import manifests
from fer_tf import models
from trainers.common.cli import UsageError
from trainers.tables.papers import Row, Table
from trainers.tables.runs import Run, load_config

FACE_NETWORK = "meen_face_network"
SMOKE_STEPS, SMOKE_BATCH, SMOKE_WIDTH, SMOKE_FOLDS = 20, 16, 0.125, (0, 9)


@dataclasses.dataclass(frozen=True)
class Choices:
    """What the user chose.

    Attributes:
        workdir: Of the whole table.
        scale: `full` or `smoke`.
        seeds: How many runs, from seed 0.
        epochs: Of each run in all, in place of the paper's; 0: the paper's.
        overrides: More changes of every config, by key, as text.
        published: Format -> file of published weights.
        from_scratch: Whether to do without published weights.
    """

    workdir: str
    scale: str = "full"
    seeds: int = 1
    epochs: int = 0
    overrides: Mapping[str, str] = dataclasses.field(default_factory=dict)
    published: Mapping[str, str] = dataclasses.field(default_factory=dict)
    from_scratch: bool = False

    @property
    def without_published(self) -> bool:
        """Whether no run begins with published weights: narrow ones cannot."""
        return self.from_scratch or self.scale == "smoke"


@dataclasses.dataclass(frozen=True)
class PlannedRow:
    """A row and its runs.

    Attributes:
        row: Of the table.
        runs: `runs[seed][fold][network]`; empty where it is not trained.
        before: Runs that must be finished first.
        reason: Why a row of ours is not trained, or "".
        note: What is not as in the paper, or "".
    """

    row: Row
    runs: tuple[tuple[tuple[Run, ...], ...], ...] = ()
    before: tuple[Run, ...] = ()
    reason: str = ""
    note: str = ""

    @property
    def all_runs(self) -> list[Run]:
        """In the order in which they are trained."""
        own = [run for seed in self.runs for fold in seed for run in fold]
        return [*self.before, *own]


@dataclasses.dataclass(frozen=True)
class Sources:
    """The prepared folders, by what they are for.

    Attributes:
        main: What the table's networks are trained on, a folder for each data set.
        faces: What the face network is trained on; empty if nothing shows
            pictures without a face.
        dataset: Name of the data set in `main`.
        unused: What is for neither.
    """

    main: tuple[str, ...]
    faces: tuple[str, ...]
    dataset: str
    unused: tuple[str, ...] = ()


def find_sources(data: str, table: Table) -> Sources:
    """Sorts what `--data` names; a folder of prepared folders stands for them.

    Of several data sets the paper's own is taken, if it is among them.

    Raises:
        DataError: If nothing prepared is there, or a folder holds one data set twice.
    """
    folders = [folder for part in data.split(",") for folder in _expanded(part)]
    manifest_of = {folder: manifests.read(folder) for folder in folders}
    classes = {f: set(m["counts"].get("train", {})) for f, m in manifest_of.items()}
    faces = [f for f in folders if "nonface" in classes[f]]
    main = [f for f in folders if classes[f] - {"face", "nonface"}]
    own = [f for f in main if manifest_of[f]["dataset"] == table.dataset]
    main = own or main
    if not main:
        raise DataError(f"{data}: no training examples with labels of {table.dataset}")
    names = sorted({manifest_of[folder]["dataset"] for folder in main})
    alike = not any(row.prepared for row in table.rows)
    if alike and len(names) < len(main) and set(main) - set(data.split(",")):
        # As prepared with and without its copies: one or the other is meant.
        raise DataError(
            f"{data}: several folders of {', '.join(names)} ({', '.join(main)}); "
            "name the one that is meant"
        )
    # A set of its own is better than one that shows few other pictures.
    apart = [f for f in faces if f not in main]
    faces = tuple(apart or faces)
    unused = tuple(f for f in folders if f not in main and f not in faces)
    return Sources(tuple(main), faces, "+".join(names), unused)


def _expanded(part):
    inside = lambda folder: os.path.join(folder, manifests.NAME)
    if not os.path.exists(inside(part)) and os.path.isdir(part):
        below = [os.path.join(part, name) for name in sorted(os.listdir(part))]
        prepared = [folder for folder in below if os.path.exists(inside(folder))]
        if prepared:
            return prepared
    return [part]


def plan(
    table: Table, rows: Sequence[Row], sources: Sources, choices: Choices
) -> list[PlannedRow]:
    """Plans all that the rows need.

    Raises:
        ValueError: If an override fits no config, or data cannot be dealt into
            folds.
    """
    data = {None: ",".join(sources.main)}
    if table.folds and any(row.configs for row in rows):
        if len(sources.main) > 1:
            raise DataError(
                f"{','.join(sources.main)}: folds are dealt from one prepared folder"
            )
        dealt = folds.deal(sources.main[0], os.path.join(choices.workdir, "folds"))
        numbers = SMOKE_FOLDS if choices.scale == "smoke" else range(folds.FOLDS)
        data = {number: dealt[number] for number in numbers}
    return [_plan_row(row, data, sources, choices) for row in rows]


def _plan_row(row, data, sources, choices):
    reasons, notes, before = [], [], []
    if row.prepared:
        data = {None: _prepared_with(row.prepared, sources, reasons)}

    def run(name, where, seed, fold=None):
        config, changes = load_config(name), {"seed": str(seed)}
        if config.published.format and choices.without_published:
            notes.append(f"from scratch here, not from {config.published.format}")
            changes["published.format"] = ""
            if importlib.util.find_spec(f"trainers.configs.{name}_scratch"):
                # The paper has a row that is just this.
                name, changes = f"{name}_scratch", {"seed": str(seed)}
                config = load_config(name)
        elif config.published.format:
            changes |= _published(config.published.format, choices, reasons)
        if "face_network" in config.submodels:
            face = run(FACE_NETWORK, ",".join(sources.faces), seed)
            before.append(face)
            changes["submodels.face_network"] = face.path
            if not sources.faces:
                reasons.append(
                    "needs faces and other pictures for the face network: add a folder "
                    "prepared with --dataset=facenonface to --data"
                )
        changes |= _budget(config, choices) | _overrides(name, config, choices)
        folder = f"{name}_seed{seed}" + (f"_fold{fold}" if fold is not None else "")
        made = Run(name, where, os.path.join(choices.workdir, "runs", folder), changes)
        _check_arguments(name, made.load().model)
        return made

    runs = tuple(
        tuple(
            tuple(run(name, where, seed, fold) for name in row.configs)
            for fold, where in data.items()
        )
        for seed in range(choices.seeds if row.configs else 0)
    )
    note = "; ".join(dict.fromkeys(notes))
    if reasons:
        return PlannedRow(row, reason=reasons[0], note=note)
    before = {face.path: face for face in before}
    return PlannedRow(row, runs, tuple(before.values()), note=note)


def _prepared_with(options, sources, reasons):
    """The folder that was prepared with these options."""
    layouts = {f: manifests.read(f)["source"]["layout"] for f in sources.main}
    of_layout = lambda text: {part for part in text.split(", ") if "=" in part}
    wanted = set(options.split(","))
    fitting = [f for f, layout in layouts.items() if of_layout(layout) == wanted]
    if len(fitting) != 1:
        reasons.append(
            f"needs one folder prepared with --options={options} in --data; "
            f"there are {len(fitting)}"
        )
    return ",".join(fitting)


def _published(form, choices, reasons):
    """Changes of a config that begins with published weights."""
    file = choices.published.get(form)
    if not file:
        reasons.append(
            f"begins with published weights: give --{form}=FILE, or --from_scratch"
        )
    elif not os.path.isfile(file):
        raise UsageError(f"--{form}: {file}: no such file")
    return {"published.path": file or ""}


def _overrides(name, config, choices):
    """The user's changes, with `stages[-1]` as a number.

    They are meant for the rows; of the model arguments, a face network gets only those
    it has.
    """
    last, prefix = f"stages[{len(config.stages) - 1}]", "model.arguments."
    changes = {k.replace("stages[-1]", last): t for k, t in choices.overrides.items()}
    if name == FACE_NETWORK:
        known = {prefix + key for key in models.argument_names(config.model.name)}
        changes = {
            key: text
            for key, text in changes.items()
            if key in known or not key.startswith(prefix)
        }
    return changes


def _check_arguments(name, model):
    try:
        models.check_arguments(model.name, model.arguments)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error


def _budget(config, choices):
    """Changes of the length of a run."""
    changes = {}
    if choices.scale == "smoke":
        changes = {
            "model.arguments.width": str(SMOKE_WIDTH),
            "batch_size": str(min(SMOKE_BATCH, config.batch_size)),
        }
        if config.sampling.name == "videos":
            # Any data will do here, and few have videos.
            changes |= {"sampling.name": "all", "sampling.limit": "0"}
        steps = {f"stages[{n}].steps": SMOKE_STEPS for n in range(len(config.stages))}
        changes |= {key: str(value) for key, value in steps.items()}
    if choices.epochs:
        # In the paper's proportion, whether it counts epochs or steps.
        lengths = [stage.steps or stage.epochs for stage in config.stages]
        for number, length in enumerate(lengths):
            epochs = max(1, round(choices.epochs * length / sum(lengths)))
            changes[f"stages[{number}].epochs"] = str(epochs)
            changes[f"stages[{number}].steps"] = "0"
    return changes
