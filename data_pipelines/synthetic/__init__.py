"""Drawn faces with every label known: the embedded data."""

from data_pipelines.synthetic.faces import (
    SIZES,
    Face,
    SyntheticOptions,
    draw,
    moving_regions,
    source_options,
    split_of,
    template,
)

__all__ = [
    "Face",
    "SIZES",
    "SyntheticOptions",
    "draw",
    "moving_regions",
    "source_options",
    "split_of",
    "template",
]
