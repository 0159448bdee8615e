"""What `make docs` builds its site from: a hook of MkDocs, which mkdocs.yml names.

Pages lie beside the code, and keep their places in the site, so that a link between
two of them leads to the same on a code host and here. Of every module there is a page
under reference/, written from its docstrings; a link to a Python file leads to it.
"""

import ast
import functools
import pathlib
import posixpath
import re

from trainers.publishing.paper_pages import PAPERS

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("fer_tf", "data_pipelines", "trainers")
STYLE = "trainers/publishing/site.css"
FILES = ("README.md", "CITATION.cff", "LICENSE", "saved_models/pictures/*.png", STYLE)
# From a prompt to the next empty line, as doctest reads it.
_EXAMPLE = re.compile(r"^( *)>{3} .*(?:\n(?! *$).*)*", re.MULTILINE)
_LINK_TO_CODE = re.compile(r"(\]\()([\w./]+)\.py\)")


def on_files(files, config):
    """Replaces the files of `docs_dir` by the pages of the whole checkout."""
    from mkdocs.structure.files import File

    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for path in checkout_files():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    for path, text in reference_pages().items():
        files.append(File.generated(config, path, content=text))
    config.nav = navigation()
    return files


def on_page_markdown(markdown, page, **_):
    """Leads links to Python files to their pages in the reference."""
    folder = posixpath.dirname(page.file.src_uri)

    def link(match):
        path = posixpath.normpath(posixpath.join(folder, match[2]))
        target = posixpath.relpath(f"reference/{path}.md", folder or ".")
        return f"{match[1]}{target})"

    return _LINK_TO_CODE.sub(link, markdown)


def with_fenced_examples(docstring: str) -> str:
    """Puts a fence around each example that doctest runs."""
    return _EXAMPLE.sub(r"\1```pycon\n\g<0>\n\1```", docstring)


def checkout_files() -> list[str]:
    """Pages, pictures and what they link to, relative to the checkout."""
    pages = [f"{folder}/**/*.md" for folder in (*PACKAGES, "saved_models")]
    paths = {p for pattern in (*FILES, *pages) for p in ROOT.glob(pattern)}
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@functools.cache
def modules() -> list[pathlib.PurePosixPath]:
    """Every public module, a package by its folder, relative to the checkout."""
    paths = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
    names = [path.relative_to(ROOT).with_suffix("") for path in paths]
    return sorted(n.parent if n.name == "__init__" else n for n in names)


def reference_pages() -> dict[str, str]:
    """Place in the site -> Markdown, of every module."""
    return {_place(module): _page(module) for module in modules()}


def _place(module):
    package = (ROOT / module).is_dir()
    return f"reference/{module}/index.md" if package else f"reference/{module}.md"


def _page(module):
    name = ".".join(module.parts)
    lines = [f"# `{name}`", "", f"::: {name}", ""]
    below = [other for other in modules() if other.parent == module]
    for other in below:
        place = posixpath.relpath(_place(other), f"reference/{module}")
        lines.append(f"- [`{other.name}`]({place}){_first_line(other)}")
    return "\n".join(lines) + "\n"


def _first_line(module):
    path = ROOT / module
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return f": {text.splitlines()[0]}" if text else ""


def navigation() -> list:
    """Tabs of the site: the pages first, then the reference as the tree is."""
    return [
        {"Home": "README.md"},
        {"Commands": [
            "trainers/README.md",
            "trainers/prediction/README.md",
            "fer_tf/chain/README.md",
        ]},
        {"Data": "data_pipelines/README.md"},
        {"Models": [
            "fer_tf/models/README.md",
            *({paper.system: paper.path} for paper in PAPERS.values()),
        ]},
        {"Results": [
            "saved_models/results/README.md",
            "saved_models/results/claims.md",
            "saved_models/README.md",
            {"ferplus_best": "saved_models/ferplus_best/README.md"},
            {"fer2013_best": "saved_models/fer2013_best/README.md"},
        ]},
        {"Gallery": "saved_models/pictures/README.md"},
        {"Reference": [_branch(pathlib.PurePosixPath(name)) for name in PACKAGES]},
    ]  # fmt: skip


def _branch(module):
    below = [_branch(other) for other in modules() if other.parent == module]
    place = _place(module)
    return {module.name: [place, *below] if below else place}
