"""Evaluates every example of a split once, through the exported graph."""

import keras
import numpy as np
import tensorflow as tf

from fer_tf.utils.backend import require_tensorflow
from fer_tf.utils.finite import require_finite
from trainers.evaluation import scoring
from trainers.evaluation.predictions import ORIGIN, Predictions

# Tasks a model may have, and the features that they are scored against.
_TASKS = ("expression", "valence_arousal", "action_units", "is_face")


class Evaluator:
    """Runs an inference model over a split and scores what it says.

    Args:
        model: From `fer_tf.model_io.views.make_inference_model`. The graph is traced
            once; it sees the weights as they are when it is called.
        action_units: Names of the action units that the data is labelled with.
    """

    def __init__(self, model: keras.Model, action_units: tuple[str, ...]):
        require_tensorflow("evaluation")
        self.model, self.action_units = model, action_units
        self._call = tf.function(lambda images: model(images, training=False))

    def predictions(self, batches) -> Predictions:
        """Outputs and labels of all real rows, in order.

        Raises:
            FloatingPointError: If the model says NaN or infinity.
        """
        return Predictions.concatenate([self._of_batch(batch) for batch in batches])

    def _of_batch(self, batch):
        rows = batch["mask"].numpy() > 0
        cut = lambda columns: {k: np.asarray(v)[rows] for k, v in columns.items()}
        outputs = cut(self._call(batch["image"]))
        origin = cut({name: batch[name] for name in ORIGIN if name in batch})
        require_finite(outputs, origin["sample_id"])
        tasks = self._tasks()
        weights = {task: batch[f"{task}_weight"] for task in tasks}
        if "expression" in tasks:
            # As in training, a class that the model does not have is no label.
            known = batch["expression"] < outputs["expression"].shape[-1]
            weights["expression"] *= tf.cast(known, tf.float32)
        return Predictions(
            outputs=outputs,
            labels=cut({task: batch[task] for task in tasks}),
            weights=cut(weights),
            action_unit_names=self.action_units if "action_units" in tasks else (),
            **origin,
        )

    def scores(self, batches) -> dict[str, float | np.ndarray]:
        """Every metric of the model's tasks by name.

        A model that names expressions also has `confusion`, an array.
        """
        return scoring.score(self.predictions(batches))

    def _tasks(self):
        outputs = self.model.output
        tasks = [task for task in _TASKS if task in outputs]
        if "valence" in outputs or "arousal" in outputs:
            tasks.append("valence_arousal")
        return tasks
