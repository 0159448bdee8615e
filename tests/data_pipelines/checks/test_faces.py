import numpy as np

from data_pipelines.checks import faces
from data_pipelines.checks.findings import Findings


def test_large_pictures_are_not_gathered_for_the_search():
    search, sizes = faces.FaceSearch(Findings()), []

    def detect(images):
        sizes.append(len(images))
        return [[] for _ in images]

    search._detector.detect = detect
    for shape in [(8000, 8000)] * 2 + [(9, 9)] * 20:
        search.add("x", np.broadcast_to(np.uint8(0), (*shape, 3)), True)
    search.finish()
    assert sizes == [1, 1, 16, 4]
