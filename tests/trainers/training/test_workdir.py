from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from data_pipelines.storage.prepared import open_prepared
from fer_tf import labels
from tests import source_trees, testing_utils
from trainers.training import build
from trainers.training.workdir import Workdir


def test_a_model_is_named_by_its_data(tmp_path):
    dataset, _, _ = source_trees.affwild2(str(tmp_path / "in"), None)
    source = open_source(dataset, str(tmp_path / "in"), classes=8)
    output, spec = str(tmp_path / "out"), source.crop_spec()
    prepare.prepare(source, output, crop_spec=spec, detector="none")
    prepared, config = open_prepared(output), testing_utils.tiny_config()
    workdir = Workdir(
        str(tmp_path / "run"), config, prepared, spec=build.crop_spec(config, prepared)
    )
    # The tree has two action units, and "Other" in the place of contempt.
    assert workdir.card.action_units == ("AU1", "AU2")
    assert workdir.card.expressions == (*labels.EXPRESSIONS[:7], "other")
