from fer_tf.names import shown


def test_a_name_is_one_short_printable_line():
    assert shown("photos/großmutter 1.jpg") == "photos/großmutter 1.jpg"
    assert shown("a\x1b[31m\rb\nc") == r"a\x1b[31m\rb\nc"
    assert shown("\u202egpj.exe") == r"\u202egpj.exe"
    long = shown("a" * 1_000_000 + ".jpg")
    assert len(long) == 163 and long.startswith("aaa") and long.endswith("a.jpg")
