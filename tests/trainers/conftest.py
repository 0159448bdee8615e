import json

import pytest


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """What `trainers.train` leaves of a finished run, as far as exports read it."""
    from fer_tf.model_io import model_folder
    from tests.fer_tf.export.small_models import trained

    folder = tmp_path_factory.mktemp("run")
    model = trained(folder / "m")
    model_folder.save(
        str(folder / "best" / "clean"), model, model.card,
        extra={"protocol": "clean", "epoch": 2, "step": 30},
    )  # fmt: skip
    split = {"num_examples": 9, "metrics": {"accuracy": 0.8765}, "intervals": {}}
    results = {
        "dataset": "fer2013", "epochs": 2.0, "num_train": 480, "seconds": 90.0,
        "protocols": {"clean": {"epoch": 2, "step": 30, "test": split}},
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "config.json").write_text(json.dumps({"config": {"seed": 5}}))
    return folder
