"""Drawn faces with every label known: the embedded data."""

from data_pipelines.synthetic.faces import DrawnFace, draw, split_of, template
from data_pipelines.synthetic.options import SIZES, SyntheticOptions, source_options
from data_pipelines.synthetic.regions import moving_regions

__all__ = [
    "SIZES",
    "DrawnFace",
    "SyntheticOptions",
    "draw",
    "moving_regions",
    "source_options",
    "split_of",
    "template",
]
