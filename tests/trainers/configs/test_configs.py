"""Every config loads, says how it is run, and differs from its neighbours as told."""

import importlib
import json
import pathlib
import re

import pytest
from absl import flags
from ml_collections import config_flags

from fer_tf import models
from trainers import configs
from trainers.tables import papers

FOLDER = pathlib.Path(configs.__file__).parent
FILES = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
BEST = "wang_two_att_two_mt"


def module(name):
    return importlib.import_module(f"trainers.configs.{name}")


# A file of a function `recipe` is what a paper's rows share, and none of them.
SHARED = {name for name in FILES if not hasattr(module(name), "get_config")}
NAMES = sorted(FILES - SHARED - {"base"})


def test_a_file_that_is_no_config_has_a_recipe_that_the_rows_share():
    assert SHARED and not [n for n in SHARED if not hasattr(module(n), "recipe")]


def flat(value, prefix=""):
    """`{"stages[0].epochs": 10, ...}` of a config."""
    if isinstance(value, dict):
        items = [(f"{prefix}.{key}".lstrip("."), v) for key, v in value.items()]
    elif isinstance(value, list) and any(isinstance(v, dict) for v in value):
        items = [(f"{prefix}[{i}]", v) for i, v in enumerate(value)]
    else:
        return {prefix: value}
    return {k: v for key, part in items for k, v in flat(part, key).items()}


def settings(name):
    """All of a config but what the paper states for it."""
    found = flat(json.loads(module(name).get_config().to_json()))
    return {k: v for k, v in found.items() if not k.startswith("paper")}


def difference(a, b):
    a, b = settings(a), settings(b)
    keys = sorted(a.keys() | b.keys())
    return {key for key in keys if a.get(key, "absent") != b.get(key, "absent")}


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_locked_and_says_how_it_is_run(name):
    config = module(name).get_config()
    assert config.is_locked and all(stage.is_locked for stage in config.stages)
    # `finetune` takes any network.
    assert (
        config.model.name in models.list_models() or "--init=" in module(name).__doc__
    )
    text = module(name).__doc__
    assert f"python -m trainers.train --config=trainers/configs/{name}.py" in text
    assert ("submodels.face_network=" in text) == bool(config.submodels)
    assert ("published.path=" in text) == bool(config.published.format)
    for metric, value in config.paper.items():
        if metric in ("ccc_valence", "ccc_arousal", "accuracy", "au_f1", "macro_f1"):
            printed = set(re.findall(r"\d+\.\d+", text))
            fraction, percent = f"{value:g}", f"{100 * value:.4g}"
            assert any(float(n) in (float(fraction), float(percent)) for n in printed)


def test_every_row_with_a_network_of_ours_has_its_config_and_its_numbers():
    trained = set()
    for table in papers.TABLES.values():
        for row in table.rows:
            trained.update(row.configs)
            stated = {}
            for name in row.configs:
                stated |= module(name).get_config().paper.to_dict()
            # What follows from other numbers of the paper is in the table alone.
            for metric in set(stated) & set(row.paper):
                assert stated[metric] == row.paper[metric], (table.title, row.name)
            if row.configs and row.paper:
                assert set(stated) & set(row.paper)
    # The face network and the convolution have no number in Table 1.
    ours = {n for n in NAMES if not re.search("_synthetic$|^fer(2013|plus)_", n)}
    assert ours - trained == {"meen_face_network", "meen_model1_conv", "finetune"}


def test_every_network_of_the_papers_has_a_config():
    built = {module(name).get_config().model.name for name in NAMES}
    # RASnet is a part of `gan_man`, trained inside it.
    assert set(models.MODELS) - built == {"face_embedding", "gan_rasnet"}


@pytest.mark.parametrize(
    "one, other, keys",
    [
        ("wang_1block", BEST, {"model.name"}),
        ("wang_3block", BEST, {"model.name"}),
        ("wang_128_128", BEST, {"model.name"}),
        ("wang_256_256", BEST, {"model.name"}),
        ("wang_mse", BEST, {"objective.regression"}),
        ("wang_two_att_mt", BEST, {"model.name", "objective.outputs"}),
        ("wang_down_sampling", "wang_up_sampling", {"sampling.name", "sampling.limit"}),
        ("wang_weighted_loss", BEST,
         {"model.arguments.num_classes", "select", "class_weights"}),
        ("wang_first_level", "wang_multitask_cnn", {"model.name"}),
        ("wang_first_level", "wang_two_att_mt", {"model.name"}),
        ("wang_two_att_cnn_valence", "wang_two_att_cnn_arousal",
         {"model.name", "objective.outputs", "select"}),
        ("zhang_resnext50", "zhang_resnext50_cbam", {"model.name"}),
        ("zhang_resnext50", "zhang_senet50", {"model.name", "published.format"}),
        ("zhang_senet50_sum", "zhang_senet50", {"stages[1].objective.weighting"}),
        ("meen_model1_all", "meen_model1_average", {"model.name"}),
        ("meen_model2_all", "meen_model1_all", {"model.name"}),
        ("meen_model3_facial", "meen_model3_separately", {"model.name"}),
        ("meen_model3_combination", "meen_model3_separately", {"model.name"}),
        ("meen_model3_facial", "meen_model1_all", {"model.name", "batch_size"}),
        ("meen_model1_all", "meen_vgg19_fer2013",
         {"model.name", "submodels.face_network"}),
        ("gan_rafdb_vgg16", "gan_rafdb_vgg16_se", {"model.name"}),
        ("gan_rafdb_man", "gan_rafdb_man_scratch", {"published.format"}),
        ("gan_rafdb_vgg16", "gan_ckplus_vgg16",
         {"model.arguments.num_classes", "stages[0].steps",
          "stages[0].schedule.boundaries_fractions"}),
    ],
)  # fmt: skip
def test_rows_differ_in_exactly_what_they_say(one, other, keys):
    assert difference(one, other) == keys


@pytest.fixture
def parsed(monkeypatch):
    """`parsed(name, *arguments)`: a config as the command line makes it."""

    def parse(name, *arguments):
        argv = ["train", f"--config={FOLDER / name}.py", *arguments]
        monkeypatch.setattr("sys.argv", argv)
        values = flags.FlagValues()
        config_flags.DEFINE_config_file("config", flag_values=values)
        values(argv)
        return values.config

    return parse


def test_what_the_papers_leave_open_is_chosen_by_flags(parsed):
    for reading in "ABCD":
        config = parsed(BEST, f"--config.objective.reading={reading}")
        assert config.objective.reading == reading
    config = parsed(BEST, "--config.objective.scale=mad", "--config.stages[0].epochs=3",
                    "--config.model.arguments.width=0.5")  # fmt: skip
    assert config.objective.scale == "mad" and config.stages[0].epochs == 3
    assert config.model.arguments.width == 0.5
    config = parsed("gan_rafdb_man", "--config.published.format=",
                    "--config.region_masks.cell_anchor=center")  # fmt: skip
    assert config.published.format == ""
    with pytest.raises(AttributeError, match="readin"):
        parsed(BEST, "--config.objective.readin=A")


def test_gans_and_zhangs_recipes_are_the_papers():
    rafdb = module("gan_rafdb_man").get_config()
    masks, expression = rafdb.stages
    assert (masks.submodel, masks.objective.name) == ("rasnet", "region_masks")
    assert not masks.keep_best and expression.keep_best
    # At the printed 1e-3 the masks do not learn: see the recipe.
    assert (masks.learning_rate, expression.learning_rate) == (1e-4, 1e-3)
    for stage in (masks, expression):
        assert stage.steps == 20_000
        drops = [f * stage.steps for f in stage.schedule.boundaries_fractions]
        assert drops == [5_000, 10_000, 15_000]
    (fold,) = module("gan_ckplus_vgg16").get_config().stages
    assert fold.steps == 1_000 and fold.schedule.boundaries_fractions == (0.5,)
    first, second = module("zhang_senet50").get_config().stages
    assert not first.keep_best and second.keep_best
    assert (first.optimizer.name, first.learning_rate) == ("adam", 1e-3)
    assert (second.optimizer.name, second.learning_rate) == ("sgd", 1e-4)
    assert (first.optimizer.weight_decay, second.optimizer.weight_decay) == (1e-3, 5e-3)
    for stage in (masks, expression, fold):
        optimizer = stage.optimizer
        assert (optimizer.name, optimizer.momentum_style) == ("sgd", "caffe")
        assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 5e-4)
    assert rafdb.batch_size == 42 and not any(rafdb.augment.to_dict().values())
    assert (rafdb.input.size, rafdb.input.window) == (224, 224)


def test_meens_recipe_is_the_papers():
    meen = module("meen_model3_separately").get_config()
    (stage,) = meen.stages
    assert (stage.epochs, stage.learning_rate) == (250, 0.01)
    schedule = stage.schedule
    assert schedule.boundaries_fractions == (0.5, 0.75, 0.9) and schedule.factor == 0.1
    optimizer = stage.optimizer
    assert (optimizer.name, optimizer.momentum) == ("sgd", 0.9)
    assert optimizer.weight_decay == 5e-4 and meen.views == "ten_crop"
    assert (meen.input.size, meen.input.window) == (48, 44)
    assert meen.augment.crop and meen.augment.flip
    sizes = {
        n: module(n).get_config().batch_size
        for n in NAMES
        if n.startswith("meen_model")
    }
    assert {size for n, size in sizes.items() if "model3" in n} == {16}
    assert {size for n, size in sizes.items() if "model3" not in n} == {128}


def test_wangs_recipe_is_the_papers():
    wang = module(BEST).get_config()
    (stage,) = wang.stages
    assert (stage.epochs, stage.learning_rate, wang.batch_size) == (10, 1e-3, 256)
    assert (stage.schedule.name, stage.schedule.factor) == ("plateau", 0.1)
    assert stage.optimizer.to_dict() == {
        "name": "rmsprop_tf1", "rho": 0.9, "momentum": 0.0, "epsilon": 1e-10
    }  # fmt: skip
    assert (wang.input.size, wang.input.window) == (56, 48)
    assert (wang.views, wang.average) == ("center_mirror", "probabilities")
