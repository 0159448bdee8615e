import numpy as np
import pytest

from fer_tf import face_frame, face_table
from fer_tf.faces.images import ImageError
from fer_tf.video import video_files


class Reader:
    """Reads names in place of pictures, and notes what is read together."""

    def __init__(self):
        self.together = []

    def columns(self, **kind):
        return face_table.columns({"expressions": ["fear"]}, **kind)

    def predict_many(self, paths):
        self.together.append(list(paths))
        if any("bad" in path for path in paths):
            raise ImageError("bad.png: no picture")
        points = [[20, 20], [40, 20], [30, 30], [23, 40], [37, 40]]
        face = {"box": [9, 9, 42, 42], "landmarks": points, "confidence": 0.99}
        face |= {"probabilities": {"fear": 0.5}}
        return [[face] * ("wall" not in path) for path in paths]

    def predict_video(self, path, *, every, smoothing):
        (faces,) = self.predict_many(["video"])
        for index in (0, every):
            image = np.zeros((60, 60, 3), np.uint8)
            yield (
                video_files.Frame(index, index / 25, image),
                [face | {"track": 4} for face in faces],
            )


def test_files_are_read_in_their_order_and_a_bad_one_alone_fails():
    paths = ["/a/x.png", "/a/bad.png", "/b/wall.png", "/v/clip.mp4", "/c/y.png"]
    records = list(face_frame._records(Reader(), paths, every=5, smoothing=0.3))
    found = [(r["source"], r["condition"], len(r["faces"]), r["error"])
             for r in records]  # fmt: skip
    assert found == [
        ("/a/x.png", "a", 1, None),
        ("/a/bad.png", "a", 0, "bad.png: no picture"),
        ("/b/wall.png", "b", 0, "no face found"),
        ("/v/clip.mp4", "v", 1, None),
        ("/v/clip.mp4", "v", 1, None),
        ("/c/y.png", "c", 1, None),
    ]
    assert [f["person"] for r in records[3:5] for f in r["faces"]] == [1, 1]


def test_pictures_are_searched_together_and_none_is_lost():
    reader, paths = Reader(), [f"/a/{i}.png" for i in range(19)]
    records = list(face_frame._records(reader, paths, every=1, smoothing=0.3))
    assert [record["source"] for record in records] == paths
    assert list(map(len, reader.together)) == [8, 8, 3]


def test_a_frame_of_one_path_or_many():
    pytest.importorskip("pandas")
    one = face_frame.frame(Reader(), "/a/x.png", every=1, smoothing=0.3)
    assert len(one) == 1 and one["condition"][0] == "a" and "time" not in one
    paths = ["/a/x.png", "/v/clip.mp4"]
    both = face_frame.frame(Reader(), paths, every=5, smoothing=0.3)
    assert both["time"].isna().tolist() == [True, False, False]
    assert both["track"].tolist()[1:] == [4, 4] and both["frame"].tolist()[2] == 5
    assert both["fear"].mean() == 0.5 and "fear_raw" in both
