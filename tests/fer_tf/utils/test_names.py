import pytest

from fer_tf.utils.names import one_line, printable, shown


def test_a_name_is_one_short_printable_line():
    assert shown("photos/großmutter 1.jpg") == "photos/großmutter 1.jpg"
    assert shown("a\x1b[31m\rb\nc") == r"a\x1b[31m\rb\nc"
    assert shown("\u202egpj.exe") == r"\u202egpj.exe"
    long = shown("a" * 1_000_000 + ".jpg")
    assert len(long) == 163 and long.startswith("aaa") and long.endswith("a.jpg")


@pytest.mark.parametrize(
    "name, escaped",
    [
        ("plain \u9762 caf\xe9 \U0001f468\u200d\U0001f469.png", None),
        ("tab\there", None),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("back\x08\x7f", r"back\x08\x7f"),
        ("\x9b2J", r"\x9b2J"),
        ("gnp.\u202egpj.exe", r"gnp.\u202egpj.exe"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("two\u2028lines", r"two\u2028lines"),
        ("nul\0", r"nul\x00"),
        ("no text \udcff", r"no text \udcff"),
    ],
)  # fmt: skip
def test_what_steers_a_terminal_is_escaped_and_nothing_else(name, escaped):
    assert printable(name) == (name if escaped is None else escaped)


def test_a_name_stays_on_its_line():
    assert one_line("a\nb.png: happiness") == r"a\nb.png: happiness"
