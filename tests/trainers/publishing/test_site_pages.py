"""What the site is built from; `make docs` builds it, strictly."""

import pathlib
import re
import types

import pytest

from trainers.publishing import site_pages

ROOT = pathlib.Path(__file__).parents[3]


def named(navigation):
    """Every file that a navigation names."""
    if isinstance(navigation, str):
        return [navigation]
    parts = navigation.values() if isinstance(navigation, dict) else navigation
    return [name for part in parts for name in named(part)]


def test_the_navigation_names_every_page_once():
    pages = [p for p in site_pages.checkout_files() if p.endswith(".md")]
    pages += site_pages.reference_pages()
    assert sorted(named(site_pages.navigation())) == sorted(pages)


@pytest.mark.slow
def test_every_module_has_a_page_of_its_docstrings():
    pages = site_pages.reference_pages()
    for package in site_pages.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            text = f"::: {name.removesuffix('.__init__')}\n"
            assert sum(text in page for page in pages.values()) == 1, name


@pytest.mark.parametrize(
    "page, link, there",
    [
        ("fer_tf/models/meen.md", "meen.py", "../../reference/fer_tf/models/meen.md"),
        ("fer_tf/models/meen.md", "../../trainers/configs/meen.py",
         "../../reference/trainers/configs/meen.md"),
        ("README.md", "fer_tf/labels.py", "reference/fer_tf/labels.md"),
    ],
)  # fmt: skip
def test_a_link_to_code_leads_to_its_page(page, link, there):
    page = types.SimpleNamespace(file=types.SimpleNamespace(src_uri=page))
    text = site_pages.on_page_markdown(f"see [it]({link}).", page)
    assert text == f"see [it]({there})."
    place = pathlib.PurePosixPath(page.file.src_uri).parent / there
    assert str(pathlib.Path(ROOT / place).resolve().relative_to(ROOT)) in (
        site_pages.reference_pages()
    )


def test_the_gallery_shows_every_picture():
    folder = ROOT / "saved_models" / "pictures"
    shown = re.findall(r"!\[.*\]\((.*)\)", (folder / "README.md").read_text())
    assert sorted(shown) == sorted(path.name for path in folder.glob("*.png"))


def test_an_example_is_fenced_up_to_its_empty_line():
    text = "Doubles.\n\n    >>> a = [\n    ...   1]\n    >>> a\n    [1]\n\nMore."
    assert site_pages.with_fenced_examples(text) == (
        "Doubles.\n\n    ```pycon\n    >>> a = [\n    ...   1]\n    >>> a\n    [1]\n"
        "    ```\n\nMore."
    )
    assert site_pages.with_fenced_examples("a >>> b\n") == "a >>> b\n"
