"""The recipe of Gan et al. 2020 (multiple attention), for its Tables 3 to 6.

Sec. 4.2: aligned faces of 224 pixels without augmentation; Caffe's SGD with momentum
0.9 and coupled decay 5e-4, batch 42, 1e-3. On RAF-DB 20,000 iterations, divided by 10
after every 5,000; on CK+ 1,000, divided by 10 after 500, in each of ten folds that
share no person. RASnet learns the eight region masks first; then ERSnet learns the
expression with RASnet frozen. That both stages are as long is our reading.

The paper's lengths are fixed and it names no validation set; here a tenth of RAF-DB's
training set, and of CK+ the fold after the one tested, choose the weights and are not
trained on, under either protocol.

The five convolution blocks begin with VGG-Face (`--config.published.path=FILE`);
Table 3's starred numbers are from scratch.

RASnet's stage is not quite as printed. Its loss is a sum over 1,568 elements, and at
1e-3 its masks are soon worse than the mean mask, the same for every face: on drawn
faces of 224 pixels the loss was 44.5 after 300 steps at 1e-3, 42.8 after 1,200 at 3e-4
and 28.5, falling, after 1,200 at 1e-4; the mean mask's is 29.6. So it is 1e-4 here, on
pixels divided by 128: as they come, the masks are saturated from the start (166 after
200 steps at 1e-3). On CK+, 500 steps at 1e-4 and 500 at 1e-5 may get no further than
the mean mask; not tried, for want of CK+.
"""

from ml_collections import ConfigDict

from trainers.configs import base

# Iterations, where the rate is divided by 10, and expressions. CK+ has contempt,
# our eighth, and no neutral face: that output has no example and learns to say no.
_DATASETS = {
    "rafdb": (20_000, (0.25, 0.5, 0.75), 7),
    "ckplus": (1_000, (0.5,), 8),
}


def recipe(
    model: str, dataset: str, *, published: str = "vgg_face", **paper: float
) -> ConfigDict:
    """Returns the configuration of a row.

    Args:
        model: Name that `fer_tf.create_model` takes; with `gan_man` RASnet is
            trained first.
        dataset: `rafdb` or `ckplus`.
        published: Format of the published weights that it begins with, if any.
        **paper: What the paper states, by metric.
    """
    steps, drops, num_classes = _DATASETS[dataset]
    config = base.get_config()
    config.model.name = model
    config.model.arguments = ConfigDict(
        dict(width=1.0, input_shape=(224, 224, 3), num_classes=num_classes)
    )
    config.published.format = published
    config.input = ConfigDict(dict(size=224, color="rgb", window=224))
    config.augment.update(crop=False, flip=False)
    config.batch_size = 42
    config.eval_batch_size = 64
    config.paper = ConfigDict(paper)

    stages = [base.stage()]
    stages[0].name = "ersnet"
    if model == "gan_man":
        config.model.arguments.rasnet_pixel_scale = 1 / 128
        config.region_masks = ConfigDict(
            dict(region_sizes="swapped", cell_anchor="corner")
        )
        masks = base.stage()
        masks.name = masks.submodel = "rasnet"
        masks.objective = ConfigDict(dict(name="region_masks", caffe_half=False))
        masks.keep_best = False
        stages.insert(0, masks)
    for stage in stages:
        stage.steps = steps
        stage.learning_rate = 1e-4 if stage.submodel == "rasnet" else 1e-3
        stage.schedule = ConfigDict(
            dict(name="piecewise", boundaries_fractions=drops, factor=0.1)
        )
        stage.optimizer = ConfigDict(
            dict(name="sgd", momentum=0.9, weight_decay=5e-4, momentum_style="caffe")
        )
    config.stages = tuple(stages)
    return config
