import numpy as np
import pytest

from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter


def test_sides_are_made_even_and_may_not_change(tmp_path):
    path = str(tmp_path / "odd.mp4")
    with VideoWriter(path) as writer:
        writer.write(np.zeros((49, 65, 3), np.uint8), 0.0)
        writer.write(np.zeros((49, 65, 3), np.uint8), 0.0)  # No time has passed.
        with pytest.raises(video_files.VideoError, match="size of the frames"):
            writer.write(np.zeros((50, 90, 3), np.uint8), 1.0)
    frames = list(video_files.read_frames(path))
    assert len(frames) == 2 and frames[0].image.shape == (48, 64, 3)
