r"""FER+ on a network that knew faces before: dlib's, by shares of the raters' votes.

npm pack @vladmandic/face-api@1.7.15
python -m trainers.train --config=trainers/configs/ferplus_face_resnet.py \
    --data=data/ferplus --workdir=runs/face_resnet \
    --config.published.path=vladmandic-face-api-1.7.15.tgz

Faces of 48 pixels are enlarged to 96. What the face network's weights are worth is the
difference from two other runs at the same budget:

    as they are, with a new classifier alone:
        '--config.stages[0].train=expression.*'
    from scratch, as the network was trained, with batch normalisation:
        --config.published.format= --config.model.arguments.batch_norm=True \
        '--config.stages[0].learning_rate=0.05'

The published network has no normalisation inside, so that it needs a small rate.

`data/ferplus` as in ferplus_quick.
"""

from ml_collections import ConfigDict

from trainers.configs import ferplus_quick


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = ferplus_quick.get_config()
    config.model.name = "face_resnet29"
    config.model.arguments = ConfigDict(
        dict(
            num_classes=8,
            input_shape=(96, 96, 1),
            width=1.0,
            batch_norm=False,
            dropout_rate=0.5,
        )
    )
    config.published.format = "dlib_face"
    config.input = ConfigDict(dict(size=96, color="grey", window=96))
    config.augment.crop = False
    config.batch_size = 64
    config.stages[0].learning_rate = 0.005
    return config
