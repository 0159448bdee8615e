"""Examples in docstrings as code on the site: mkdocs.yml names this to Griffe."""

import griffe

from trainers.publishing.site_pages import with_fenced_examples


class Examples(griffe.Extension):
    """Puts a fence around what Markdown takes for a quotation."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = with_fenced_examples(obj.docstring.value)
