"""The losses of each paper, readable against its equations.

`OBJECTIVES` maps the names that configs use to these classes. A row without a label has
weight 0 in its task and changes nothing there.
"""

import keras
from keras import ops
from ml_collections import ConfigDict

from fer_tf import losses
from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
from trainers.common.cli import UsageError


class Objective:
    """`objective(batch, outputs) -> (total, {task: loss})`, all scalars.

    Attributes:
        tasks: Names of the task losses.
        layer: Keras layer whose weights are learned with the model's, or None.
    """

    tasks: tuple[str, ...] = ()
    layer: keras.layers.Layer | None = None

    def __call__(self, batch: dict, outputs: dict) -> tuple:
        """Returns the total and the losses of the tasks."""
        raise NotImplementedError

    def _weighted_sum(self, task_losses):
        return sum(self.weights[task] * loss for task, loss in task_losses.items())


class Expression(Objective):
    """Softmax cross-entropy over the expressions (Meen et al.; Gan et al. Eq. 7)."""

    tasks = ("expression",)

    def __init__(self, *, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def __call__(self, batch, outputs):
        loss = _expression_loss(batch, outputs, self.label_smoothing)
        return loss, {"expression": loss}


class Votes(Objective):
    """Cross-entropy against the votes of several raters (FER+, Barsoum et al., 2016).

    The target of a face without votes is its label: data with and without votes train
    one network together. The paper's four ways to learn from votes are the rules by
    which FER+ is prepared, and

    - majority voting, cross-entropy loss: this objective as it is;
    - multi-label learning: `best`;
    - probabilistic label drawing: `config.draw_votes`.

    Args:
        best: Whether any expression that a rater chose counts as right, as in the
            owner's mode `multi_target`. Otherwise each counts by its share of votes.
    """

    tasks = ("expression",)

    def __init__(self, *, best=False):
        self.best = best

    def __call__(self, batch, outputs):
        if "votes" not in batch:
            raise ValueError("the objective `votes` needs records of FER+")
        logits = ops.cast(outputs["expression"], "float32")
        classes = batch["votes"].shape[-1]
        if logits.shape[-1] != classes:
            raise ValueError(
                f"the votes are for {classes} expressions, and the model has "
                f"{logits.shape[-1]} (`model.arguments.num_classes`)"
            )
        votes = _votes_or_label(batch)
        if self.best:
            chosen = ops.where(votes > 0, ops.log_softmax(logits), -1e9)
            per_example = -ops.max(chosen, axis=-1)
        else:
            per_example = losses.soft_cross_entropy(votes, logits)
        loss = losses.masked_mean(per_example, batch["expression_weight"])
        return loss, {"expression": loss}


class IsFace(Objective):
    """Cross-entropy of face against non-face (Meen et al.'s face network)."""

    tasks = ("is_face",)

    def __call__(self, batch, outputs):
        per_example = losses.cross_entropy(batch["is_face"], outputs["is_face"])
        loss = losses.masked_mean(per_example, batch["is_face_weight"])
        return loss, {"is_face": loss}


# Eq. 4 of Wang et al. is missing in every copy of the paper; "alpha" (0.5) and "beta"
# (0.3) are there. These are the weights of (expression, valence, arousal) in four
# readings.
WANG2018_WEIGHTS = {
    # alpha L_c + beta L_v + (1 - beta) L_a: one coefficient a stage.
    "A": (0.5, 0.3, 0.7),
    # alpha L_c + (1 - alpha) (beta L_v + (1 - beta) L_a)
    "B": (0.5, 0.15, 0.35),
    # L_v + alpha L_a + beta L_c
    "C": (0.3, 1.0, 0.5),
    # alpha L_c + beta (L_v + L_a)
    "D": (0.5, 0.3, 0.3),
}


class Wang2018(Objective):
    """2Att-2Mt (Wang et al., Eq. 4 to 6): category, valence and arousal.

    A model without a categorical head has no L_c. A model of a single dimension has
    only the loss of that dimension, multiplied by its weight in the sum.

    Args:
        reading: Of Eq. 4, a key of `WANG2018_WEIGHTS`.
        regression: `tukey` (Eq. 6) or `mse` (Eq. 5).
        scale: Divisor of Tukey's residuals: 1 as in the paper, another number, or
            `mad`. The number may be text, as a flag gives it.
        outputs: Outputs of the model that are trained; by default all three.
        weights: Of expression, valence and arousal, in place of a reading's.
    """

    def __init__(
        self, *, reading="A", regression="tukey", scale=1.0, outputs=(), weights=()
    ):
        if reading not in WANG2018_WEIGHTS or regression not in ("tukey", "mse"):
            raise ValueError(
                f"`reading` must be one of {', '.join(WANG2018_WEIGHTS)} and "
                "`regression` 'tukey' or 'mse'. Received: "
                f"reading={reading!r}, regression={regression!r}."
            )
        names = ("expression", "valence", "arousal")
        weights = weights or WANG2018_WEIGHTS[reading]
        self.weights = dict(zip(names, _three_weights(weights, names)))
        self.regression, self.scale = regression, _number_or_mad(scale)
        self.tasks = tuple(outputs) or names

    def __call__(self, batch, outputs):
        task_losses = {}
        for task in self.tasks:
            if task == "expression":
                task_losses[task] = _expression_loss(batch, outputs, 0.0)
            else:
                task_losses[task] = self._dimension(batch, outputs, task)
        return self._weighted_sum(task_losses), task_losses

    def _dimension(self, batch, outputs, task):
        column = ("valence", "arousal").index(task)
        target = batch["valence_arousal"][:, column]
        if task in outputs:
            predicted = outputs[task][:, 0]
        else:
            predicted = outputs["valence_arousal"][:, column]
        weights = batch["valence_arousal_weight"]
        if self.regression == "mse":
            per_example = losses.squared_error(target, predicted)
        else:
            per_example = losses.tukey_biweight(
                target, predicted, weights, scale=self.scale
            )
        return losses.masked_mean(per_example, weights)


class Zhang2020(Objective):
    """MTANet (Zhang & Gu, Eq. 1 to 5): valence/arousal, action units, expression.

    Args:
        weighting: `sum` (stage one) or `uncertainty` (stage two, Eq. 5).
        weights: Factors of the three losses, in either stage; the paper has none. They
            are positive with `uncertainty`.
        au_reduction: `sum` over the action units (Eq. 2), or their `mean`.
    """

    tasks = ("valence_arousal", "action_units", "expression")

    def __init__(self, *, weighting="sum", weights=(1.0, 1.0, 1.0), au_reduction="sum"):
        if weighting not in ("sum", "uncertainty"):
            raise ValueError(
                "`weighting` must be 'sum' or 'uncertainty'. "
                f"Received: weighting={weighting!r}."
            )
        if au_reduction not in ("sum", "mean"):
            raise ValueError(
                "`au_reduction` must be 'sum' or 'mean'. "
                f"Received: au_reduction={au_reduction!r}."
            )
        self.au_reduction = au_reduction
        self.weights = dict(zip(self.tasks, _three_weights(weights, self.tasks)))
        if weighting == "uncertainty":
            if min(self.weights.values()) <= 0:
                raise ValueError(
                    "`weights` must be positive with weighting='uncertainty'. "
                    f"Received: weights={weights!r}."
                )
            # Eq. 5 halves the loss of the regression.
            scales = {**self.weights}
            scales["valence_arousal"] *= 0.5
            self.layer = UncertaintyWeighting(scales)
            self.layer.build()

    def __call__(self, batch, outputs):
        weights = {task: batch[f"{task}_weight"] for task in self.tasks}
        # A frame counts for Eq. 2 if any of its action units is annotated.
        annotated = ops.max(weights["action_units"], axis=-1)
        units = losses.action_unit_cross_entropy(
            batch["action_units"],
            outputs["action_units"],
            weights["action_units"],
            reduction=self.au_reduction,
        )
        task_losses = {
            "valence_arousal": losses.ccc_loss(
                batch["valence_arousal"],
                outputs["valence_arousal"],
                weights["valence_arousal"],
            ),
            "action_units": losses.masked_mean(units, annotated),
            "expression": _expression_loss(batch, outputs, 0.0),
        }
        if self.layer is None:
            return self._weighted_sum(task_losses), task_losses
        active = {task: ops.sum(weight) for task, weight in weights.items()}
        # One row has no CCC. Its loss of 0 would only shrink the variance.
        active["valence_arousal"] = active["valence_arousal"] > 1.5
        return self.layer(task_losses, active=active), task_losses


class RegionMasks(Objective):
    """RASnet's regression of the eight region masks (Gan et al., Eq. 2 and 3).

    Args:
        caffe_half: Halve it, as Caffe's EuclideanLoss does and Eq. 3 does not.
    """

    tasks = ("region_masks",)

    def __init__(self, *, caffe_half=False):
        self.caffe_half = caffe_half

    def __call__(self, batch, outputs):
        per_example = losses.region_mask_loss(
            batch["region_masks"], outputs["region_masks"], caffe_half=self.caffe_half
        )
        loss = losses.masked_mean(per_example, batch["region_masks_weight"])
        return loss, {"region_masks": loss}


OBJECTIVES = {
    "expression": Expression,
    "votes": Votes,
    "is_face": IsFace,
    "wang2018": Wang2018,
    "zhang2020": Zhang2020,
    "region_masks": RegionMasks,
}


def make_objective(config: ConfigDict) -> Objective:
    """Builds the objective that `config` names: `name` and its arguments.

    Example:
        >>> from ml_collections import ConfigDict
        >>> setting = ConfigDict({"name": "zhang2020", "weights": (1, 2, 1)})
        >>> make_objective(setting).tasks
        ('valence_arousal', 'action_units', 'expression')
    """
    arguments = config.to_dict()
    name = arguments.pop("name")
    if name not in OBJECTIVES:
        raise UsageError(
            f"`objective.name` must be one of {', '.join(OBJECTIVES)}. "
            f"Received: {name!r}."
        )
    try:
        return OBJECTIVES[name](**arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"`objective` {name}: {error}") from error


def _three_weights(weights, names):
    """The weights of three losses as floats."""
    if len(weights) != 3:
        raise ValueError(
            f"`weights` must be three, of {', '.join(names)}. "
            f"Received: weights={weights!r}."
        )
    return map(float, weights)


def _number_or_mad(scale):
    if scale == "mad":
        return scale
    try:
        return float(scale)
    except ValueError as error:
        raise ValueError(
            f"`scale` must be a number or 'mad'. Received: scale={scale!r}."
        ) from error


def _votes_or_label(batch):
    """The shares of the votes; all of them for the label where nobody voted."""
    votes = ops.cast(batch["votes"], "float32")
    label = ops.cast(ops.expand_dims(batch["expression"], -1), "int32")
    label = ops.cast(label == ops.arange(votes.shape[-1], dtype="int32"), "float32")
    return ops.where(ops.any(votes > 0, axis=-1, keepdims=True), votes, label)


def _expression_loss(batch, outputs, label_smoothing):
    labels, logits = batch["expression"], outputs["expression"]
    per_example = losses.cross_entropy(labels, logits, label_smoothing=label_smoothing)
    # A class that the model does not have counts as no label: AffectNet's contempt, for
    # Wang et al.'s seven.
    known = ops.cast(labels < logits.shape[-1], "float32")
    return losses.masked_mean(per_example, batch["expression_weight"] * known)
