from fer_tf.scores import confusion


def test_rates_by_hand():
    counts = [[3, 1, 0], [2, 2, 0], [0, 0, 0]]
    ends = {"recall": [[0.4, 0.9], None, None], "precision": [None, [0.1, 1.0], None]}
    matrix = dict(
        expressions=["neutral", "fear", "anger"], counts=counts, intervals=ends
    )
    neutral, fear = confusion.expression_rates(matrix)  # Nobody is angry.
    assert (neutral.recall, neutral.precision) == (3 / 4, 3 / 5)
    assert (neutral.recall_ends, neutral.precision_ends) == ([0.4, 0.9], None)
    assert (neutral.taken_for, neutral.share_taken) == ("fear", 1 / 4)
    assert (fear.name, fear.num_examples, fear.precision) == ("fear", 4, 2 / 3)


def test_what_is_never_said_has_no_precision_and_what_is_never_missed_no_other():
    none = {"recall": [None, None], "precision": [None, None]}
    matrix = dict(expressions=["a", "b"], counts=[[5, 0], [1, 0]], intervals=none)
    first, second = confusion.expression_rates(matrix)
    assert first.taken_for is None and first.share_taken == 0
    assert second.precision is None and second.taken_for == "a"
    assert list(confusion.expression_rates(None)) == []
