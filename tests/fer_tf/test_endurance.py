"""Hours of use: neither memory nor the time a picture takes grows."""

import os
import time

import numpy as np
import pytest

import fer_tf
from fer_tf.faces import FaceEmbedder
from tests.fer_tf.convert import face_api_package
from tests.testing_utils import resident_mib

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not os.path.isdir("/proc/self"),
        reason="memory is read from /proc, which only Linux has",
    ),
]

FRAMES, PREDICTIONS = 10_000, 2_000


@pytest.fixture(scope="module")
def astronaut():
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[:240, 100:340])


def test_a_long_video_takes_no_more_memory_and_no_longer_a_frame(tmp_path, astronaut):
    pytest.importorskip("av")
    from fer_tf.video.video_writer import VideoWriter

    path = str(tmp_path / "long.mp4")
    with VideoWriter(path) as writer:
        for number in range(FRAMES):
            shift = int(20 * np.sin(number / 40))
            writer.write(np.roll(astronaut, shift, axis=1), number / 25)
    reader, memory, seconds, faces = fer_tf.Predictor(), [], [], 0
    start = time.process_time()
    for number, (_, found) in enumerate(reader.predict_video(path), 1):
        faces += len(found)
        if number % 1_000 == 0:
            memory.append(resident_mib())
            seconds.append((time.process_time() - start) / 1_000)
            start = time.process_time()
    print("MiB:", [round(m) for m in memory], "s a frame:", np.round(seconds, 4))
    assert len(memory) == FRAMES / 1_000 and faces > 0.99 * FRAMES
    assert memory[-1] - memory[1] < 32
    assert np.median(seconds[-4:]) < 1.25 * np.median(seconds[1:5])


def test_three_thousand_embeddings_of_a_face_or_two_take_no_memory(tmp_path):
    package = face_api_package.write(
        tmp_path / "face.tgz", *face_api_package.table_and_numbers()
    )
    embedder, memory = FaceEmbedder(package), {}
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), np.uint8)
    for number in range(1, 3_001):
        embedder.embed(crops[: 1 + number % 2])
        if number in (600, 3_000):
            memory[number] = resident_mib()
    print("MiB:", memory)
    before, after = memory.values()
    assert after - before < 8


def test_two_thousand_pictures_of_many_sizes_take_one_trace_and_no_memory(astronaut):
    import cv2

    reader, rng, memory, faces = fer_tf.Predictor(), np.random.default_rng(0), {}, 0
    for number in range(1, PREDICTIONS + 1):
        size = tuple(int(s) for s in rng.integers(150, 400, 2))
        faces += len(reader.predict(cv2.resize(astronaut, size)))
        if number in (PREDICTIONS // 4, PREDICTIONS):
            memory[number] = resident_mib()
    print("MiB:", memory, "faces:", faces)
    before, after = memory.values()
    assert after - before < 32 and faces > 0.8 * PREDICTIONS
    assert reader._call.experimental_get_tracing_count() == 1
