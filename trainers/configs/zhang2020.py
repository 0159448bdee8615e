"""The recipe of Zhang and Gu 2020 (MTANet), for every row of its Table I.

Sec. III and IV: aligned faces of 112 pixels; first the sum of the three losses by
Adam 1e-3 with coupled decay 1e-3; then the losses weighted by learned uncertainty
(Eq. 5) by SGD 1e-4 with decay 5e-3. SENet-50 begins with VGGFace2's weights
(`--config.published.path=FILE`); what the ResNeXts begin with is not said.

The paper is silent on batch size, epochs, momentum, augmentation and which frames;
here 128 (the CCC is a statistic of the batch), 10 and 5, 0.9, mirrored faces, and in
an epoch 500 frames of a video, about a tenth: neighbouring frames are near copies.
Nor does it say which weights it reports; here those of the second stage with the best
CCC of valence and arousal, for the other two tasks too.

The losses are the class `Zhang2020` in `trainers/training/objectives.py`; their weights
are set in `_objective`, below, for both stages. By flag:
`'--config.objective.weights=(1.0,2.0,1.0)'` for the first stage,
`'--config.stages[1].objective.weights=(1.0,2.0,1.0)'` for the second.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def recipe(
    model: str, *, published: str = "", second: str = "uncertainty", **paper: float
) -> ConfigDict:
    """Returns the configuration of a row.

    Args:
        model: Name that `fer_tf.create_model` takes.
        published: Format of the published weights that it begins with, if any.
        second: Weighting of the losses in the second stage, `uncertainty` or `sum`.
        **paper: What the paper states, by metric.
    """
    config = base.get_config()
    config.model.name = model
    config.model.arguments = ConfigDict(dict(width=1.0, input_shape=(112, 112, 3)))
    config.published.format = published
    config.input = ConfigDict(dict(size=112, color="rgb", window=112))
    config.augment.crop = False
    config.batch_size = 128
    config.sampling.update(name="videos", limit=500)
    config.select = "ccc_mean"
    config.paper = ConfigDict(paper)
    config.objective = _objective("sum")

    stages = base.stage(), base.stage()
    for stage, epochs, rate, name in zip(
        stages, (10, 5), (1e-3, 1e-4), ("train", "fine_tune")
    ):
        stage.epochs, stage.learning_rate, stage.name = epochs, rate, name
    stages[0].optimizer = ConfigDict(dict(name="adam", weight_decay=1e-3))
    stages[1].optimizer = ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=5e-3))
    stages[1].objective = _objective(second)
    # "Then fine-tune": a row is what its second stage gives.
    stages[0].keep_best = False
    config.stages = stages
    return config


def _objective(weighting):
    return ConfigDict(
        dict(
            name="zhang2020",
            weighting=weighting,
            # Of valence and arousal, action units, expression: factors of their losses.
            weights=(1.0, 1.0, 1.0),
            au_reduction="sum",
        )
    )
