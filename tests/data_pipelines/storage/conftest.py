import shutil

import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from data_pipelines.storage import manifests


@pytest.fixture(scope="session")
def small_folders(tmp_path_factory):
    """The same 24 faces, prepared as records and as npz."""
    source = open_source("synthetic", "seed=1,examples=24,size=48,non_faces=0.2")
    made = {}
    for format in manifests.FORMATS:
        made[format] = tmp_path_factory.mktemp("prepared") / format
        spec = source.crop_spec()
        prepare.prepare(source, str(made[format]), crop_spec=spec, format=format)
    return made


@pytest.fixture
def npz_folder(small_folders, tmp_path):
    return shutil.copytree(small_folders["npz"], tmp_path / "npz")


@pytest.fixture
def record_folder(small_folders, tmp_path):
    return shutil.copytree(small_folders["tfrecord"], tmp_path / "tfrecord")
