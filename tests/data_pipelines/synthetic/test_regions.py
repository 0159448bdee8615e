import dataclasses

import numpy as np

from data_pipelines import synthetic
from data_pipelines.synthetic import geometry

SMALL = synthetic.SyntheticOptions(size=48)


def test_moving_regions_cover_the_moving_parts():
    intensities = {f"AU{n}": 0.0 for n in geometry.UNITS} | {"AU12": 0.8}
    face = dataclasses.replace(synthetic.draw(2, SMALL), au_intensities=intensities)
    mask = synthetic.moving_regions(face)
    assert mask.shape == (48, 48) and mask.dtype == bool
    column, row = np.round(face.landmarks).astype(int).T
    assert mask[row[48:60], column[48:60]].all()
    assert not mask[row[17:27], column[17:27]].any()
    assert 0.01 < mask.mean() < 0.25
