import pytest

from data_pipelines import layouts
from tests.data_pipelines.layouts.drawn import EXAMPLES, SEED


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """`written(layout)` -> its folder, and what each picture shows."""
    made = {}

    def get(name):
        if name not in made:
            root = str(tmp_path_factory.mktemp("layouts") / name)
            made[name] = root, layouts.write(name, root, examples=EXAMPLES, seed=SEED)
        return made[name]

    return get
