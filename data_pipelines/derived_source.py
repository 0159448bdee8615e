"""A source that is another one, less something."""

import hashlib

from data_pipelines.sources import Source


class DerivedSource:
    """Everything of a source, but for what a subclass changes.

    Args:
        source: The whole.
        less: What is left out, exactly: with it the records are others.
        words: The same for people.
    """

    def __init__(self, source: Source, *, less: str, words: str):
        self._source = source
        both = f"{source.fingerprint} without {less}"
        self.fingerprint = hashlib.sha256(both.encode()).hexdigest()
        self.layout = f"{source.layout}, without {words}"

    def __getattr__(self, name):
        if name.startswith("_"):  # While it is being unpickled by a worker.
            raise AttributeError(name)
        return getattr(self._source, name)
