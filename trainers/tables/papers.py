"""The papers' tables: every row, what the paper states, and what trains it.

Numbers are as printed, percentages as fractions. A row without `configs` is somebody
else's published number: it stands in the table and is not trained.
"""

import dataclasses
from collections.abc import Mapping

# What a paper calls its own network, where a confusion matrix is that one's.
OURS = "Ours"


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        name: As the paper calls it.
        configs: Names in `trainers/configs/` whose networks together are the row.
        paper: What the paper states, by metric.
        note: What a reader of the number must know.
        prepared: `--options` that its folder is prepared with, where the rows of a
            table have folders of their own; empty: all have the same.
        baseline: Row that it is set against; by default the table's first of ours.
    """

    name: str
    configs: tuple[str, ...] = ()
    paper: Mapping[str, float] = dataclasses.field(default_factory=dict)
    note: str = ""
    prepared: str = ""
    baseline: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        title: What it is, with paper and number.
        dataset: Data set that the paper trained and tested on.
        metrics: Its columns, in order.
        rows: In the paper's order.
        percent: Whether the paper prints percent.
        runs: How many runs a number of the paper is the mean of.
        folds: Whether it is a cross-validation in ten folds by person.
        classes: Classes of the confusion matrix of its row `OURS`, in the paper's
            order; empty: none.
        confusion: The paper's own matrix, rows true, each a fraction of its row.
        note: What a reader of the table must know.
    """

    title: str
    dataset: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    percent: bool = False
    runs: int = 1
    folds: bool = False
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[float, ...], ...] = ()
    note: str = ""

    def baseline(self, row: Row) -> Row | None:
        """The row that a row of ours is set against; None for a baseline itself."""
        ours = [other for other in self.rows if other.configs]
        name = row.baseline or ours[0].name
        named = next((other for other in ours if other.name == name), None)
        return None if named is row or not row.configs else named


_CCC = ("ccc_valence", "ccc_arousal", "ccc_mean")
_SIX = (*_CCC, "rmse_valence", "rmse_arousal", "rmse_mean")
_WANG = "Wang et al. 2018, Table"


def _row(name, config, metrics, values, note=""):
    configs = (config,) if isinstance(config, str) else tuple(config)
    return Row(name, tuple(filter(None, configs)), dict(zip(metrics, values)), note)


def _wang(number, what, metrics, *rows, **table_fields):
    rows = tuple(_row(name, config, metrics, *rest) for name, config, *rest in rows)
    title = f"{_WANG} {number}: {what}"
    return Table(title, "affectnet", metrics, rows, runs=5, **table_fields)


# Tables 2 to 6 share one network: what each varies is at its best in it.
_BEST = "wang_two_att_two_mt"
_BEST_SIX = (0.714, 0.556, 0.635, 0.353, 0.364, 0.359)
_TWO_ATT_MT = (0.618, 0.460, 0.539, 0.360, 0.393, 0.377)

_ALEXNET = (
    "the number is of AffectNet's AlexNet; ours is 2Att-2Mt, also of eight classes, "
    "with the same remedy for rare ones"
)
_WANG_TABLES = {
    "wang_1": _wang(
        1,
        "levels of attention",
        _SIX,
        ("MultitaskCNN", "wang_multitask_cnn",
         (0.589, 0.423, 0.506, 0.373, 0.408, 0.391)),
        ("1st-level", "wang_first_level", (0.605, 0.437, 0.518, 0.367, 0.402, 0.385),
         "the mean CCC is printed as 0.518; the mean of its columns is 0.521"),
        ("2nd-level", "wang_two_att_mt", _TWO_ATT_MT, "the 2Att-Mt of Table 3"),
    ),
    "wang_2": _wang(
        2,
        "number of residual attention blocks",
        _SIX,
        ("1-Block", "wang_1block", (0.677, 0.511, 0.594, 0.365, 0.382, 0.373)),
        ("2-Block", _BEST, _BEST_SIX),
        ("3-Block", "wang_3block", (0.696, 0.532, 0.614, 0.356, 0.371, 0.364)),
    ),
    "wang_3": _wang(
        3,
        "frameworks",
        _SIX,
        ("SVR", "", (0.372, 0.182, 0.277, 0.384, 0.513, 0.449),
         "published by Mollahosseini et al. 2017"),
        ("CNN", "", (0.600, 0.340, 0.470, 0.370, 0.410, 0.390),
         "published on AffectNet's website"),
        ("2Att-CNN", ("wang_two_att_cnn_valence", "wang_two_att_cnn_arousal"),
         (0.609, 0.365, 0.487, 0.368, 0.406, 0.387),
         "two networks, of one dimension each"),
        ("2Att-Mt", "wang_two_att_mt", _TWO_ATT_MT),
        ("2Att-2Mt", _BEST, _BEST_SIX),
    ),
    "wang_4": _wang(
        4,
        "hidden units, dimensional and categorical",
        _CCC,
        ("(128,128)", "wang_128_128", (0.708, 0.536, 0.622)),
        ("(256,128)", _BEST, _BEST_SIX[:3]),
        ("(256,256)", "wang_256_256", (0.711, 0.549, 0.630)),
    ),
    "wang_5": _wang(
        5,
        "loss of the dimensions",
        _CCC,
        ("MSE", "wang_mse", (0.709, 0.541, 0.625)),
        ("Tukey's biweight", _BEST, _BEST_SIX[:3]),
        note="of small residuals Tukey's loss is half the square: MSE weighs valence "
        "and arousal twice as much against the category",
    ),
    "wang_6": _wang(
        6,
        "classification of expressions",
        ("accuracy",),
        ("Down-sampling", "wang_down_sampling", (0.50,), _ALEXNET),
        ("Up-sampling", "wang_up_sampling", (0.47,), _ALEXNET),
        ("Weighted-loss", "wang_weighted_loss", (0.58,), _ALEXNET),
        ("Ours", _BEST, (0.48,), "seven classes: the others are not comparable"),
        classes=("neutral", "happiness", "sadness", "surprise", "fear", "disgust",
                 "anger"),
        note="the paper prints no confusion matrix; ours is in AffectNet's order",
    ),
}  # fmt: skip

_ZHANG = ("ccc_valence", "ccc_arousal", "au_f1", "macro_f1", "au_score",
          "expression_score")  # fmt: skip
_ZHANG_TABLES = {
    "zhang_1": Table(
        "Zhang and Gu 2020, Table I: backbones, on the validation set",
        "affwild2",
        _ZHANG,
        (
            Row(
                "Baseline",
                paper=dict(ccc_valence=0.14, ccc_arousal=0.24, au_score=0.31,
                           expression_score=0.36),
                note="of the challenge; its 0.31 and 0.36 are most likely the "
                "challenge's scores (F1 mixed with accuracy), not F1",
            ),
            _row("ResNext-50", "zhang_resnext50", _ZHANG, (0.22, 0.31, 0.403, 0.30)),
            _row("ResNext+CBAM", "zhang_resnext50_cbam", _ZHANG,
                 (0.27, 0.34, 0.397, 0.31)),
            _row("SENet-50", "zhang_senet50", _ZHANG, (0.28, 0.34, 0.427, 0.32)),
            Row("SENet-50, sum of losses", ("zhang_senet50_sum",),
                note="not in the paper: both stages with the plain sum of losses",
                baseline="SENet-50"),
        ),
    )
}  # fmt: skip

_MEEN_NOTE = (
    "the paper does not say which set; differences of 0.5 points are within the noise "
    "of one run (0.74 points)"
)


def _accuracy(name, config, percent, note="", baseline=""):
    configs = (config,) if config else ()
    stated = {"accuracy": round(percent / 100, 4)}
    return Row(name, configs, stated, note, baseline=baseline)


_MEEN_TABLES = {
    "meen_1": Table(
        "Meen et al., Table 1: facial features as attention",
        "fer2013",
        ("accuracy",),
        (
            _accuracy("VGG19", "meen_vgg19_fer2013", 72.61),
            _accuracy("Model 1: All features", "meen_model1_all", 72.9),
            _accuracy("Model 1: Averaging", "meen_model1_average", 73.1),
            _accuracy("Model 2: All features", "meen_model2_all", 73.08),
            _accuracy("Model 2: Averaging", "meen_model2_average", 72.69),
            _accuracy("Model 3: Facial features", "meen_model3_facial", 73.35),
            _accuracy("Model 3: Emotion features", "meen_model3_emotion", 73.08),
            _accuracy("Model 3: Combination", "meen_model3_combination", 72.97),
            _accuracy("Model 3: Separately", "meen_model3_separately", 73.59),
        ),
        percent=True,
        note=_MEEN_NOTE,
    )
}

_STARRED = "from scratch"
_VGG, _VGG_STARRED = "VGG fine-tuning", "VGG fine-tuning*"
_FOLD_MEAN = (
    "accuracy is the mean of the folds', `accuracy_pooled` of all faces at once"
)


def _matrix(*rows):
    return tuple(tuple(round(cell / 100, 4) for cell in row) for row in rows)


_GAN_TABLES = {
    "gan_3": Table(
        "Gan et al. 2020, Table 3: RAF-DB",
        "rafdb",
        ("accuracy",),
        (
            _accuracy("Ours", "gan_rafdb_man", 85.69, baseline=_VGG),
            _accuracy("Ours*", "gan_rafdb_man_scratch", 75.59, _STARRED, _VGG_STARRED),
            _accuracy("VGG+SE", "gan_rafdb_vgg16_se", 83.28, baseline=_VGG),
            _accuracy("VGG+SE*", "gan_rafdb_vgg16_se_scratch", 73.27, _STARRED,
                      _VGG_STARRED),
            _accuracy(_VGG, "gan_rafdb_vgg16", 83.89, baseline=_VGG),
            _accuracy(_VGG_STARRED, "gan_rafdb_vgg16_scratch", 73.63, _STARRED,
                      _VGG_STARRED),
            _accuracy("PG-CNN", "", 83.27, "published by others"),
            _accuracy("DLP-CNN*", "", 74.20, "published by others, from scratch"),
            _accuracy("MRE-CNN", "", 76.73, "published by others"),
            _accuracy("FSN", "", 72.46, "published by others"),
            _accuracy("Ghosh et al.**", "", 77.48,
                      "published by others, from scratch or not mentioned"),
        ),
        percent=True,
        note="the text once says 85.82 for Ours; the confusion matrix of Table 4 is "
        "that of 2,629 of 3,068 right, 85.69 %",
    ),
    "gan_4": Table(
        "Gan et al. 2020, Table 4: confusion on RAF-DB",
        "rafdb",
        ("accuracy", "mean_class_accuracy"),
        (
            Row("Ours", ("gan_rafdb_man",),
                {"accuracy": 0.8569, "mean_class_accuracy": 0.7727},
                "the paper states neither here: the mean of the diagonal below is "
                "77.27, and with the classes' sizes it is 85.69"),
        ),
        percent=True,
        classes=("surprise", "fear", "disgust", "happiness", "sadness", "anger",
                 "neutral"),
        confusion=_matrix(
            (85.11, 2.13, 1.52, 2.74, 2.43, 1.52, 4.56),
            (16.22, 58.11, 0.00, 5.41, 9.46, 5.41, 5.41),
            (1.25, 1.88, 60.62, 9.38, 8.13, 5.63, 13.13),
            (0.51, 0.00, 0.68, 94.60, 1.35, 0.17, 2.70),
            (0.63, 0.84, 2.72, 3.56, 82.85, 1.05, 8.37),
            (2.47, 2.47, 4.94, 7.41, 1.23, 75.93, 5.56),
            (1.91, 0.15, 2.21, 4.85, 6.91, 0.29, 83.68),
        ),
    ),
    "gan_5": Table(
        "Gan et al. 2020, Table 5: CK+, ten folds",
        "ckplus",
        ("accuracy", "accuracy_pooled"),
        (
            _accuracy("Ours", "gan_ckplus_man", 96.28, "last three frames, 7 classes",
                      _VGG),
            _accuracy("VGG+SE", "gan_ckplus_vgg16_se", 93.11,
                      "last three frames, 7 classes", _VGG),
            _accuracy(_VGG, "gan_ckplus_vgg16", 92.27,
                      "last three frames, 7 classes", _VGG),
            *(
                _accuracy(
                    name, "", percent, f"published by others: {frames}, {classes}"
                )
                for name, frames, classes, percent in (
                    ("AUDN", "first and last three frames", "7 with neutral", 93.70),
                    ("Island loss", "last three frames", "7 classes", 94.35),
                    ("Happy et al.", "last frame", "6 classes", 94.14),
                    ("STM-ExpLet", "sequence", "7 classes", 94.19),
                    ("Jang et al.", "last frame", "7 classes", 97.23),
                    ("PG-CNN", "first and last frames", "7 with neutral", 97.03),
                    ("Ouellet et al.", "last frame", "7 classes", 94.40),
                    ("DSAE", "first and last four frames", "7 classes", 95.79),
                    ("IACNN", "last three frames", "7 classes", 95.37),
                    ("PPDN", "last three frames", "6 classes", 97.30),
                    ("Liu et al.", "last three frames", "7 classes", 97.10),
                    ("DeRL", "last three frames", "7 classes", 97.30),
                )
            ),
        ),
        percent=True,
        folds=True,
        note=_FOLD_MEAN,
    ),
    "gan_6": Table(
        "Gan et al. 2020, Table 6: confusion on CK+, ten folds",
        "ckplus",
        ("accuracy", "accuracy_pooled", "mean_class_accuracy"),
        (
            Row("Ours", ("gan_ckplus_man",),
                {"accuracy": 0.9628, "accuracy_pooled": 0.9586,
                 "mean_class_accuracy": 0.9363},
                "the paper states 96.28 alone; the other two follow from the diagonal "
                "below"),
        ),
        percent=True,
        folds=True,
        classes=("anger", "contempt", "disgust", "fear", "happiness", "sadness",
                 "surprise"),
        confusion=_matrix(
            (89.57, 0, 2.33, 0, 0, 8.10, 0),
            (5.00, 88.33, 0, 5.00, 0, 1.67, 0),
            (0, 0, 100.00, 0, 0, 0, 0),
            (0, 0, 0, 84.17, 5.83, 0, 0),
            (0, 0, 0, 0, 100.00, 0, 0),
            (5.00, 0, 0, 0, 0, 95.00, 0),
            (0, 1.67, 0, 0, 0, 0, 98.33),
        ),
        note=f"{_FOLD_MEAN}; the paper's matrix is the mean of the folds' matrices, in "
        "which a class that a fold has no face of counts 0: fear sums to 90. Our rows "
        "lack what was read as neutral, the eighth output, too",
    ),
}  # fmt: skip


def _votes(name, config, accuracy, prepared):
    return Row(name, (config,), {"accuracy": accuracy}, prepared=prepared)


_SCORED = "rule=probability,scored=majority"
_FERPLUS_TABLES = {
    "ferplus_1": Table(
        "Barsoum et al. 2016, Table 1: four ways to learn from ten raters' votes",
        "ferplus",
        ("accuracy",),
        (
            _votes("Majority voting", "ferplus_vgg13_majority", 0.83852,
                   "rule=majority"),
            _votes("Multi-label learning", "ferplus_vgg13_multi_target", 0.83966,
                   "rule=multi_target,scored=majority"),
            _votes("Probabilistic label drawing", "ferplus_vgg13_probability", 0.84986,
                   _SCORED),
            _votes("Cross-entropy loss", "ferplus_vgg13", 0.84716, _SCORED),
        ),
        percent=True,
        runs=5,
        note="eight expressions; validation and test are labelled by the rule "
        "`majority` in every row; the paper's deviations over five runs are 0.63, "
        "0.36, 0.37 and 0.24 points",
    )
}  # fmt: skip

TABLES: dict[str, Table] = {
    **_WANG_TABLES,
    **_ZHANG_TABLES,
    **_MEEN_TABLES,
    **_GAN_TABLES,
    **_FERPLUS_TABLES,
}
