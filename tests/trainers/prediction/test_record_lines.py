from trainers.prediction.record_lines import in_words


def test_action_units_are_said():
    face = {"enlargement": 1.0, "action_units": {"AU1": 0.2, "AU12": 0.5, "AU25": 0.9}}
    record = {"source": "a.png", "error": None, "faces": [face]}
    assert in_words(record) == "a.png: AU12 AU25"
    face["action_units"] = {"AU1": 0.49}
    assert in_words(record) == "a.png: no action unit"


def test_a_doubt_is_said():
    face = {"box": [0, 0, 60, 60], "enlargement": 1.0, "expression": "fear"}
    face |= {"probabilities": {"fear": 0.5}, "unsure": True}
    record = {"source": "a.png", "error": None, "faces": [face]}
    assert in_words(record) == "a.png: fear 50% (unsure)"
    face["sharpness"] = 0.1
    assert in_words(record) == "a.png: fear 50% (blurred)"
    face |= {"box": [0, 0, 16, 20], "enlargement": 2.5}
    assert in_words(record) == "a.png: fear 50% (small: enlarged 2.5 times)"
