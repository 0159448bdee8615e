import os

import cv2

from data_pipelines import synthetic
from tests.data_pipelines.layouts.drawn import SEED, lines


def test_affwild2_is_what_its_owner_writes(written):
    root, _ = written("affwild2")
    path = "annotations/VA_Set/Training_Set/video1.txt"
    values = lines(root, path)
    assert values[0] == "valence,arousal" and values[9] == "-5,-5"
    path = "annotations/EXPR_Set/Validation_Set/video4.txt"
    assert lines(root, path)[0] == (
        "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise"
    )
    frames = os.listdir(os.path.join(root, "cropped_aligned", "video1"))
    assert "00001.jpg" in frames and len(frames) < len(values) - 1
    image = cv2.imread(os.path.join(root, "cropped_aligned", "video1", "00001.jpg"))
    assert image.shape == (112, 112, 3)


def test_affwild2_2022_is_what_its_owner_writes(written):
    root, _ = written("affwild2_2022")
    path = "annotations/AU_Detection_Challenge/Train_Set/video1.txt"
    units = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
    assert lines(root, path)[0] == units
    path = "annotations/EXPR_Classification_Challenge/Validation_Set/video4.txt"
    assert lines(root, path)[0].endswith("Sadness,Surprise,Other")
    assert lines(root, path)[11] == "7"


def test_people_and_clips_are_what_the_layout_says(written):
    root, drawn = written("affwild2")
    options = synthetic.SyntheticOptions(seed=SEED, size=48)
    people = {}
    for path, (index, _) in drawn.items():
        video = path.split("/")[1]
        people.setdefault(video, set()).add(synthetic.draw(index, options).subject)
    assert all(len(found) == 1 for found in people.values())
    assert len({next(iter(found)) for found in people.values()}) == len(people)
