r"""Wang et al., the 2Att-2Mt of Tables 2 to 6: CCC 0.714 and 0.556, accuracy 0.48.

python -m trainers.train --config=trainers/configs/wang_two_att_two_mt.py \
    --data=data/affectnet --workdir=runs/wang_two_att_two_mt

Table 2, "2-Block"; Table 3, "2Att-2Mt"; Table 4, (256,128); Table 5, "Tukey's
biweight"; Table 6, "Ours", the accuracy of its categorical head.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_two_mt",
        ccc=(0.714, 0.556, 0.635),
        rmse=(0.353, 0.364, 0.359),
        accuracy=0.48,
    )
