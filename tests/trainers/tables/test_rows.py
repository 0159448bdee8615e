"""Every config trains on its data set, as that one's owner ships it."""

import functools
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import layouts
from data_pipelines.batches import pipeline
from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from trainers.tables import papers
from trainers.tables.runs import load_config
from trainers.training import assembly, overrides

WIDTH, BATCH = 0.05, 4
# Pictures to draw: enough people for every split.
EXAMPLES = {"affectnet": 40, "affwild2": 120, "fer2013": 40, "ferplus": 40,
            "facenonface": 30, "rafdb": 30, "ckplus": 80}  # fmt: skip
DATASETS = {
    name: table.dataset
    for table in papers.TABLES.values()
    for row in table.rows
    for name in row.configs
} | {
    "meen_face_network": "facenonface",
    "meen_model1_conv": "fer2013",
    "fer2013_quick": "fer2013",
    "fer2013_best": "fer2013",
    "fer2013_mtanet_senet50": "fer2013",
    # A set with landmarks, of which RASnet learns.
    "fer2013_gan_man": "rafdb",
    "fer2013_vgg19": "fer2013",
    "fer2013_meen_model3_facial": "fer2013",
    "fer2013_meen_model3_separately": "fer2013",
    # The second set has what the first lacks, in other crops.
    "fer2013_two_att_two_mt": "fer2013,affectnet",
    "ferplus_quick": "ferplus",
    "ferplus_best": "ferplus",
}
# One of each kind; the others take minutes together.
FAST = {"wang_two_att_cnn_valence", "meen_model1_average", "gan_ckplus_vgg16"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """`data(dataset)`: a prepared folder of drawn faces, made when first asked for."""

    @functools.cache
    def prepared(dataset):
        top = tmp_path_factory.mktemp(dataset)
        root, output = str(top / "download"), str(top / "prepared")
        layouts.write(dataset, root, examples=EXAMPLES[dataset], seed=4)
        source = open_source(dataset, root)
        detector = source.default_detector.replace("mtcnn", "annotated")
        spec = source.crop_spec()
        prepare.prepare(source, output, crop_spec=spec, detector=detector)
        return output

    return prepared


@pytest.fixture(scope="module")
def face_network(tmp_path_factory):
    """Folder of an untrained face network, as wide as the rows under test."""
    folder = str(tmp_path_factory.mktemp("face") / "model")
    network = models.create_model("face_network", width=WIDTH)
    card = Card(
        model="face_network", arguments=dict(width=WIDTH), views="center",
        crop_spec=CROP_SPECS["meen"], average="logits",
    )  # fmt: skip
    model_folder.save(folder, network, card)
    return folder


@pytest.fixture
def eagerly(name):
    """Tracing takes longer than the few steps of the fast ones."""
    tf.config.run_functions_eagerly(name in FAST)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n in FAST else pytest.mark.long)
        for n in DATASETS
    ],
)
def test_it_trains_a_step_of_each_stage(name, eagerly, data, face_network, tmp_path):
    config = load_config(name)
    overrides.set_argument(config, "width", str(WIDTH))
    config.batch_size, config.eval_batch_size = BATCH, 8
    config.published.format = ""
    if "face_network" in config.submodels:
        config.submodels.face_network = face_network
    for stage in config.stages:
        # One cycle rises and falls.
        stage.steps = 10 if stage.schedule.name == "one_cycle" else 1
    folders = [data(dataset) for dataset in DATASETS[name].split(",")]
    prepared = pipeline.open_prepared(",".join(folders))
    run = assembly.assemble(config, prepared, str(tmp_path / "run"))
    run.check()
    before = {id(v): v.numpy() for v in run.model.variables}
    with run.workdir.opened():
        run.train()
    assert int(run.state.step) == sum(stage.steps for stage in config.stages)
    losses = [row["loss"] for row in run.workdir.rows]
    assert len(losses) == len(config.stages) and all(map(math.isfinite, losses))
    frozen = []
    if "face_network" in config.submodels:
        frozen = run.model.get_layer("face_network").weights
        trained = model_folder.load(face_network).get_weights()
        for variable, expected in zip(frozen, trained, strict=True):
            np.testing.assert_array_equal(variable.numpy(), expected)
    # All that is not frozen moves, of all stages together; a dead unit may not.
    still = {id(v) for v in frozen}
    kernels = [v for v in run.model.variables if v.name == "kernel"]
    moved = [(v.numpy() != before[id(v)]).any() for v in kernels if id(v) not in still]
    assert np.mean(moved) > 0.9
    # The metrics of the table are measured on this data.
    metrics = {m for t in papers.TABLES.values() for r in t.rows if name in r.configs
               for m in config.paper}  # fmt: skip
    assert {f"test/{metric}" for metric in metrics} <= set(run.workdir.rows[-1])
    card = json.loads((tmp_path / "run" / "best" / "paper" / "model.json").read_text())
    assert card["model"] == config.model.name
