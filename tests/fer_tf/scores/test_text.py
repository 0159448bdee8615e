from fer_tf.scores import text


def test_a_reading_with_all_its_parts():
    whole = text.reading(0.12345, [0.1, 0.2], deviation=0.0)
    assert whole == "0.1235 ± 0.0000 [0.1000, 0.2000]"
    assert text.reading(0.12345, None, digits=3) == "0.123"
    ends = text.interval([0.1, 0.25], percent=True, digits=1)
    assert text.number(0.2, percent=True) + ends == "20.00 [10.0, 25.0]"


def test_what_was_not_measured_is_a_dash_whatever_else_is_known():
    assert text.reading(None, [0.1, 0.2], deviation=0.1) == text.MISSING


def test_a_number_that_is_rounded_to_zero_has_no_sign():
    assert text.number(-0.0004, digits=3) == "0.000"
    assert text.number(-0.00004, percent=True) == "0.00"
    assert text.number(-0.0006, digits=3) == "-0.001"


def test_the_end_of_an_interval_keeps_its_sign():
    """An interval that holds 0 must look so."""
    assert text.interval([-0.00028, 0.00199], digits=3) == " [-0.000, 0.002]"
    assert text.interval([-0.002, -0.0003], digits=3) == " [-0.002, -0.000]"
    assert text.interval([-1e-17, 0.25]) == " [0.0000, 0.2500]"
