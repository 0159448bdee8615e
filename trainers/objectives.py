"""What each system minimises, readable against its paper's equations.

A row without a label has weight 0 in its task and moves nothing there.
"""

from fer_tf import losses


class Objective:
    """`objective(batch, outputs) -> (total, {task: loss})`, all scalars.

    Attributes:
        tasks: Names of the task losses.
        layer: Keras layer whose weights are learned with the model's, or None.
    """

    tasks: tuple[str, ...] = ()
    layer = None


class Expression(Objective):
    """Softmax cross-entropy over the expressions (Meen et al., Sec. 4.2)."""

    tasks = ("expression",)

    def __init__(self, *, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def __call__(self, batch, outputs):
        per_example = losses.cross_entropy(
            batch["expression"],
            outputs["expression"],
            label_smoothing=self.label_smoothing,
        )
        loss = losses.masked_mean(per_example, batch["expression_weight"])
        return loss, {"expression": loss}


class IsFace(Objective):
    """Cross-entropy of face against non-face (Meen et al.'s face network)."""

    tasks = ("is_face",)

    def __call__(self, batch, outputs):
        per_example = losses.cross_entropy(batch["is_face"], outputs["is_face"])
        loss = losses.masked_mean(per_example, batch["is_face_weight"])
        return loss, {"is_face": loss}


OBJECTIVES = {"expression": Expression, "is_face": IsFace}


def make_objective(config) -> Objective:
    """Builds the objective that `config` names: `name` and its arguments."""
    arguments = config.to_dict()
    name = arguments.pop("name")
    if name not in OBJECTIVES:
        raise ValueError(
            f"`objective.name` must be one of {', '.join(OBJECTIVES)}. "
            f"Received: {name!r}."
        )
    return OBJECTIVES[name](**arguments)
