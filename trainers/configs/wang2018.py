"""The recipe of Wang et al. 2018 (2Att-2Mt), for every row of its Tables 1 to 6.

Sec. 4.2: grey faces of 56 pixels, of which training sees a random window of 48 or
its mirror; from scratch by RMSprop as TensorFlow 1 ran it, batch 256, 1e-3 divided
by 10 "when the loss did not drop", 10 epochs (about five hours on a Titan X). At
test the centre window and its mirror, averaged; every number is the mean of five
runs (`--config.seed=0` to 4).

The loss is looked at when the run is evaluated: with `eval_epochs` above 1 (to save
time) the rate can drop only so often, on the mean loss since the last time.

Attention blocks end with batch normalisation and ReLU
(`--config.model.arguments.activate_blocks=False` for the graph as cited). Equation 4
is lost: `--config.objective.reading=A|B|C|D` takes each of its readings;
`--config.objective.scale=mad` scales Tukey's residuals as usual in robust regression.
The losses are the class `Wang2018` in `trainers/training/objectives.py`, beside the
weights of the four readings; `objective.weights`, below, sets others.
"""

from ml_collections import ConfigDict

from trainers.configs import base

BOTH = ("valence", "arousal")


def recipe(
    model: str,
    *,
    outputs: tuple[str, ...] = ("expression", *BOTH),
    regression: str = "tukey",
    select: str = "ccc_mean",
    num_classes: int = 7,
    ccc: tuple[float, ...] = (),
    rmse: tuple[float, ...] = (),
    **paper: float,
) -> ConfigDict:
    """Returns the configuration of a row.

    Args:
        model: Name that `fer_tf.create_model` takes.
        outputs: What is trained: a network without a categorical head has no
            `expression`.
        regression: `tukey` or `mse`.
        select: Metric that the best weights are chosen by.
        num_classes: Expressions; the eighth is contempt.
        ccc: The paper's CCC of valence, of arousal, and their mean.
        rmse: The paper's RMSE, likewise.
        **paper: What else the paper states, by metric.
    """
    for metric, values in (("ccc", ccc), ("rmse", rmse)):
        names = (f"{metric}_{name}" for name in (*BOTH, "mean"))
        paper |= zip(names, values)
    config = base.get_config()
    config.model.name = model
    config.model.arguments = ConfigDict(
        dict(
            width=1.0,
            input_shape=(48, 48, 1),
            num_classes=num_classes,
            # Without it training hardly begins; the model's page has the numbers.
            activate_blocks=True,
        )
    )
    config.input = ConfigDict(dict(size=56, color="grey", window=48))
    config.batch_size = 256
    config.views = "center_mirror"
    config.average = "probabilities"
    config.select = select
    config.paper = ConfigDict(paper)
    config.objective = ConfigDict(
        dict(
            name="wang2018",
            reading="A",
            # Of expression, valence, arousal; empty: those of `reading`.
            weights=(),
            regression=regression,
            scale="1",
            outputs=outputs,
        )
    )

    stage = config.stages[0]
    stage.epochs = 10
    stage.learning_rate = 1e-3
    # The paper gives neither patience nor the least drop that counts.
    stage.schedule = ConfigDict(
        dict(name="plateau", factor=0.1, patience=1, min_delta=1e-4)
    )
    stage.optimizer = ConfigDict(
        dict(name="rmsprop_tf1", rho=0.9, momentum=0.0, epsilon=1e-10)
    )
    return config
