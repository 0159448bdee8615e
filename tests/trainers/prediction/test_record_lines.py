from trainers.prediction.record_lines import in_words


def test_action_units_are_said():
    face = {"enlargement": 1.0, "action_units": {"AU1": 0.2, "AU12": 0.5, "AU25": 0.9}}
    record = {"source": "a.png", "error": None, "faces": [face]}
    assert in_words(record) == "a.png: AU12 AU25"
    face["action_units"] = {"AU1": 0.49}
    assert in_words(record) == "a.png: no action unit"
