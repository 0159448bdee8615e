import os
import pathlib
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest  # noqa: E402

REAL_DATA = pathlib.Path(__file__).parents[2] / "shared" / "data"


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="run slow tests too")
    parser.addoption("--run-long", action="store_true", help="run long tests too")


def pytest_collection_modifyitems(config, items):
    for mark in ("slow", "long"):
        if not config.getoption(f"--run-{mark}"):
            skip = pytest.mark.skip(reason=f"{mark}: run with --run-{mark}")
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(skip)
    if not REAL_DATA.is_dir():
        absent = pytest.mark.skip(reason="needs real images in ../shared/data")
        for item in items:
            if "real_data" in item.keywords:
                item.add_marker(absent)


@pytest.fixture(autouse=True)
def seeded():
    """The same weights in every run of a test: its tolerance holds always or never."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="session")
def real_data():
    return REAL_DATA


@pytest.fixture(scope="session")
def synthetic_data(tmp_path_factory):
    """A prepared folder of 160 drawn faces, 48 px grey."""
    from data_pipelines.preparation import prepare
    from data_pipelines.sources import open_source

    output = tmp_path_factory.mktemp("prepared") / "synthetic"
    source = open_source("synthetic", "seed=3,examples=160,size=48")
    spec = source.crop_spec()
    prepare.prepare(source, str(output), crop_spec=spec, rows_a_chunk=40)
    return str(output)


@pytest.fixture(scope="session")
def chain_model(tmp_path_factory):
    """A small model that is sure of what it says, with a threshold."""
    from fer_tf.model_io import model_folder
    from tests.fer_tf.export import small_models

    folder = tmp_path_factory.mktemp("trained")
    small_models.trained(folder, views="center_mirror")
    model = model_folder.load(str(folder))
    model.unsure_below = 0.6
    return model


@pytest.fixture(scope="session")
def exported_chain(chain_model, tmp_path_factory):
    """The folder of its chain, what `export_chain` gave, and the report's lines."""
    from fer_tf import predictor
    from fer_tf.chain import description
    from fer_tf.export import chain
    from tests.fer_tf.export import small_models

    if not small_models.HAS_ONNX:
        pytest.skip("needs tf2onnx and onnxruntime: pip install 'fer-tf[export]'")
    pytest.importorskip("ai_edge_litert", reason="needs the extra `litert`")
    folder, lines = tmp_path_factory.mktemp("chain") / "new" / "out", []
    facts = chain.export_chain(
        chain_model, str(folder), settings=predictor.face_detector().settings,
        crops=small_models.random_crops(20), source="noise", name="tiny",
        runtimes=list(description.ENDINGS),
        described={"temperature": {"value": 1.5, "num_fitted": 9}}, report=lines.append,
    )  # fmt: skip
    return folder, facts, lines


@pytest.fixture
def browser():
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    names = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("needs Chromium or Chrome")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()
