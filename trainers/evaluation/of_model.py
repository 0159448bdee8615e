"""What a trained model says of the splits of a prepared folder."""

from collections.abc import Callable

import keras
import numpy as np

from data_pipelines.batches import ops, pipeline
from data_pipelines.storage.prepared import Prepared
from fer_tf.model_io import serving
from fer_tf.model_io.views import make_inference_model
from trainers.evaluation import agreement
from trainers.evaluation.evaluator import Evaluator
from trainers.evaluation.predictions import Predictions


def predictor(
    model: keras.Model, prepared: Prepared, *, workdir: str, batch_size: int
) -> Callable[[str], Predictions]:
    """Returns `predict(split)`, which gives the predictions of a split.

    A head that nothing trained says nothing.

    Args:
        model: From `fer_tf.load`.
        prepared: Data.
        workdir: What messages call the model.
        batch_size: Crops per batch.

    Raises:
        ValueError: If the data was cropped by another recipe than the model's, or
            has labels of other names.
    """
    card, spec = model.card, model.card.crop_spec
    agreement.require_crops(spec, prepared, workdir=workdir)
    inference = make_inference_model(
        model, spec, views=card.views, average=card.average
    )
    trained = keras.Model(inference.input, serving.read_out(inference.output, card))
    evaluator = Evaluator(trained, prepared.action_units)

    def predict(split):
        batches = pipeline.eval_batches(
            prepared,
            split,
            [ops.to_model_input()],
            size=spec.size,
            channels=spec.channels,
            batch_size=batch_size,
        )
        predictions = evaluator.predictions(batches)
        if "expression" in predictions.outputs:
            rows = predictions.labelled("expression")
            used = predictions.labels["expression"][rows]
            agreement.require_names(card, prepared, "expressions", used)
        if "action_units" in predictions.outputs:
            used = np.flatnonzero(predictions.weights["action_units"].any(axis=0))
            agreement.require_names(card, prepared, "action_units", used)
        return predictions

    return predict
