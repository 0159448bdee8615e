"""What a model says of a set of faces, beside what is true."""

import collections
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence

import numpy as np

from fer_tf.utils import atomic

# Who a face is of, and which groups of people they belong to.
ORIGIN = ("sample_id", "subject", "video", "groups")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Predictions:
    """Outputs and labels of `n` faces, row by row.

    Attributes:
        outputs: What the model says, by output: of `expression` and `is_face` logits
            `(n, classes)`, of `action_units` logits `(n, units)`, `valence_arousal`
            `(n, 2)`; of the networks of one dimension `valence` or `arousal` `(n, 1)`.
        labels: What is true, by task: of `expression` and `is_face` int `(n,)`,
            `valence_arousal` `(n, 2)`, `action_units` `(n, units)` of 0 and 1.
        weights: By task, 0 where the label is missing: `(n,)`, of `action_units`
            `(n, units)`.
        sample_id: Name of each face, bytes `(n,)`.
        subject: Name of each face's person, bytes `(n,)`, empty where it is not known;
            None if the data knows none.
        video: As `subject`, of the video.
        groups: Of each face `{attribute: value}` as JSON, bytes `(n,)`; None if the
            data names no groups.
        action_unit_names: Of the units, in order; empty for Aff-Wild2's.
    """

    outputs: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    sample_id: np.ndarray
    subject: np.ndarray | None = None
    video: np.ndarray | None = None
    groups: np.ndarray | None = None
    action_unit_names: tuple[str, ...] = ()

    def __len__(self):
        return len(self.sample_id)

    def labelled(self, task: str) -> np.ndarray:
        """Which faces have a label of a task, bool `(n,)`."""
        if task not in self.weights:
            return np.zeros(len(self), bool)
        return (self.weights[task] > 0).reshape(len(self), -1).any(axis=1)

    def take(self, rows: np.ndarray) -> "Predictions":
        """Some of the faces, by bool `(n,)` or by number."""
        columns = self.columns()
        return Predictions.from_columns({k: v[rows] for k, v in columns.items()})

    def columns(self) -> dict[str, np.ndarray]:
        """All of it as arrays of n rows, by the names that files have."""
        origin = {name: getattr(self, name) for name in ORIGIN}
        columns = {
            **{f"true_{task}": values for task, values in self.labels.items()},
            **{name: v for name, v in origin.items() if v is not None},
            **{f"{task}_weight": values for task, values in self.weights.items()},
            **self.outputs,
        }
        if self.action_unit_names:
            names = np.array(self.action_unit_names, "S")
            columns["action_unit_names"] = np.broadcast_to(
                names, (len(self), len(names))
            )
        return columns

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> "Predictions":
        """The inverse of `columns`."""
        columns = dict(columns)
        origin = {name: columns.pop(name) for name in ORIGIN if name in columns}
        units = columns.pop("action_unit_names", np.zeros((1, 0), "S"))[:1]
        tasks = [name[5:] for name in columns if name.startswith("true_")]
        return cls(
            labels={task: columns.pop(f"true_{task}") for task in tasks},
            weights={task: columns.pop(f"{task}_weight") for task in tasks},
            outputs=columns,
            action_unit_names=tuple(units.astype(str).ravel().tolist()),
            **origin,
        )

    @classmethod
    def concatenate(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """The faces of several sets, one set after the other."""
        columns = [part.columns() for part in parts]
        return cls.from_columns(
            {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
        )

    def save(self, path: str) -> None:
        """Writes an npz, whole or not at all."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # Text comes as objects, which an npz would hold as pickles.
        plain = {
            name: values.astype(bytes) if values.dtype == object else values
            for name, values in self.columns().items()
        }
        with atomic.replacing(path) as temporary:
            np.savez_compressed(temporary, **plain)

    @classmethod
    def load(cls, path: str) -> "Predictions":
        """Reads what `save` wrote.

        Raises:
            ValueError: If it is no such file.
            OSError: If it cannot be read.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls.from_columns({name: file[name] for name in file.files})
        except OSError:
            raise
        # NumPy and zipfile raise many kinds of errors over a damaged file.
        except Exception as error:
            raise ValueError(f"{path}: no file of predictions, or damaged") from error

    def independent_units(self) -> tuple[np.ndarray, str]:
        """Labels `(n,)` of what is independent, and its name.

        A row is labelled by its subject if known, else by its video, else by itself.
        The name joins the kinds that occur: "subject or video".
        """
        ids = _distinct(self.sample_id)
        units, kinds = np.char.add(b"example ", ids), np.full(len(ids), "example")
        for kind, names in (("video", self.video), ("subject", self.subject)):
            if names is not None:
                known = names != b""
                # A person and a picture of the same name are two units.
                named = np.char.add(f"{kind} ".encode(), names.astype(bytes))
                units = np.where(known, named, units)
                kinds = np.where(known, kind, kinds)
        present = [k for k in ("subject", "video", "example") if (kinds == k).any()]
        return units, " or ".join(present)

    def by_group(self) -> dict[str, dict[str, np.ndarray]]:
        """Rows of each group of people, `{attribute: {value: bool (n,)}}`.

        Attributes are what the owner annotates (gender, age, ...). A row without an
        attribute that other rows have gets the value "not annotated".
        """
        if self.groups is None:
            return {}
        texts, place = np.unique(self.groups, return_inverse=True)
        annotated = [json.loads(text) if text else {} for text in texts.tolist()]
        rows = {}
        for attribute in sorted({name for groups in annotated for name in groups}):
            values = np.array([g.get(attribute, "not annotated") for g in annotated])
            own = values[place]
            rows[attribute] = {str(v): own == v for v in np.unique(own)}
        return rows


def _distinct(ids):
    """Ids as bytes; one that comes again, as of two merged sets, with a number."""
    seen, names = collections.Counter(), []
    for name in ids.astype(bytes).tolist():
        seen[name] += 1
        names.append(name if seen[name] == 1 else b"%s %d" % (name, seen[name]))
    return np.array(names)
