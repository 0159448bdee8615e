"""A model and faces, ready to be explained by the names of their outputs."""

from collections.abc import Sequence

import keras
import numpy as np

from fer_tf import explain
from fer_tf.faces.region_masks import REGIONS
from trainers.explanation.faces import Picture, windows


class Explained:
    """A model with the faces on which it is explained.

    Args:
        name: Of the model, as it is printed.
        model: From `fer_tf.load`.
        pictures: The faces.
        layer: Name of the layer whose maps Grad-CAM weighs; by default the last that
            gives maps.

    Attributes:
        images: What the model sees, float32 `(n, height, width, channels)` in 0..255.
        moving: Where drawn faces move in them, bool `(n, height, width)`; None for
            photographs.

    Raises:
        ValueError: If the model takes region masks as an input, or has no such
            layer.
    """

    def __init__(
        self,
        name: str,
        model: keras.Model,
        pictures: list[Picture],
        *,
        layer: str | None = None,
    ):
        if isinstance(model.input, dict):
            raise ValueError(
                f"{name} takes more than an image ({', '.join(model.input)}): only "
                "networks that find their own masks can be explained here"
            )
        shapes = {lay.name: getattr(lay.output, "shape", ()) for lay in model.layers}
        maps = [name_of for name_of, shape in shapes.items() if len(shape) == 4]
        if layer is not None and layer not in maps:
            raise ValueError(
                f"--layer must be a layer of {name} that gives maps, such as "
                f"{', '.join(maps[-8:])}. Received: {layer!r}."
            )
        self.name, self.model, self.pictures = name, model, pictures
        self.layer = layer
        self.images, self.moving = windows(pictures, model)

    def explain(
        self, rows: Sequence[int], *, target: str | None = None
    ) -> dict[str, np.ndarray]:
        """`fer_tf.explain.explain` of some of the pictures.

        Args:
            rows: Indices of the pictures.
            target: An output by name (`happiness`, `AU12`, `valence`). By default it
                is the labelled expression, or the predicted one if any picture has no
                label.
        """
        task, index = self._target(rows, target)
        return explain.explain(
            self.model, self.images[rows], task=task, target=index, layer=self.layer
        )

    def output_name(self, target: str | None, index: int) -> str:
        """Name of what was explained, from the `"target"` that `explain` returned."""
        if target is not None:
            return target
        task = explain.default_task(self.model)
        named = {place: name for name, place in self._outputs().items()}
        return named.get((task, index), f"{task} {index}")

    def _target(self, rows, target):
        outputs = self._outputs()
        if target is not None:
            if target not in outputs:
                raise ValueError(
                    f"--target must be one of {', '.join(outputs)} for {self.name}. "
                    f"Received: {target!r}."
                )
            return outputs[target]
        labels = [self.pictures[row].expression for row in rows]
        places = [outputs.get(label) for label in labels]
        task = explain.default_task(self.model)
        if task == "expression" and None not in places:
            return "expression", [index for _, index in places]
        return task, None

    def _outputs(self):
        """`{name: (task, index)}` of all that the model predicts."""
        columns = {
            "expression": self.model.card.expressions,
            "valence_arousal": ("valence", "arousal"),
            "action_units": self.model.card.action_units,
            "valence": ("valence",),
            "arousal": ("arousal",),
            "is_face": ("nonface", "face"),
            "region_masks": REGIONS,
        }
        return {
            name: (task, index)
            for task, value in self.model.output.items()
            for index, name in enumerate(columns.get(task, ())[: value.shape[-1]])
        }
