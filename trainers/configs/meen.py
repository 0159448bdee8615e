"""The recipe of Meen et al. (facial features as attention), for all of its Table 1.

Sec. 4.2: random windows of 44 pixels of FER2013's 48, or their mirror; batch 128 (16
for Model 3), SGD with momentum 0.9 and coupled decay 5e-4, 0.01 divided by 10 after
50, 75 and 90 % of the epochs. Two networks trained one after the other: the face
network first (`meen_face_network.py`, on faces and other pictures), which is then
frozen inside Models 1 to 3 (`--config.submodels.face_network=WORKDIR`).

"150-300 epochs depending on the model and variation": 250 for all, as in the public
code that the recipe comes from. From there too is ten-crop at test, on which the
paper is silent; not its clipping of gradients (`--config.stages[0].clip_value=0.1`).
The best weights are chosen by the centre window, which costs a tenth
(`--config.selection_views=ten_crop` chooses by what is reported).
"""

from ml_collections import ConfigDict

from trainers.configs import base


def recipe(
    model: str,
    *,
    batch_size: int = 128,
    face_network: bool = True,
    **paper: float,
) -> ConfigDict:
    """Returns the configuration of a row.

    Args:
        model: Name that `fer_tf.create_model` takes.
        batch_size: Examples a batch.
        face_network: Whether the model holds a trained face network.
        **paper: What the paper states, by metric.
    """
    config = base.get_config()
    config.model.name = model
    config.model.arguments = ConfigDict(dict(width=1.0, input_shape=(44, 44, 1)))
    if face_network:
        config.submodels = ConfigDict(dict(face_network=""))
    config.input = ConfigDict(dict(size=48, color="grey", window=44))
    config.batch_size = batch_size
    config.views = "ten_crop"
    config.paper = ConfigDict(paper)

    stage = config.stages[0]
    stage.epochs = 250
    stage.learning_rate = 0.01
    stage.schedule = ConfigDict(
        dict(name="piecewise", boundaries_fractions=(0.5, 0.75, 0.9), factor=0.1)
    )
    stage.optimizer = ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=5e-4))
    return config
