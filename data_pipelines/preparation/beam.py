"""Chunks done by an Apache Beam pipeline, on the machines of a cluster.

The pipeline has one step, and each chunk is an element. A machine does with a chunk
what a process of `data_pipelines.preparation.pool` does, so the bytes are the same, and
a killed run continues likewise. The machines need this package, and the source and the
output under the same paths: a folder that all of them mount.
"""

from collections.abc import Callable, Sequence

import apache_beam
from apache_beam.options.pipeline_options import PipelineOptions

from data_pipelines.preparation.chunks import Chunk


def run(
    chunks: Sequence[Chunk],
    progress: Callable[[int, int], None],
    total: int,
    *,
    options: Sequence[str] = (),
) -> list[dict]:
    """Runs the chunks that are not done; see `pool.run`.

    Args:
        chunks: All chunks of a data set.
        progress: Called with the rows done and the rows in all; here only before
            the pipeline and after it.
        total: Rows in all.
        options: Beam's own, such as `--runner=DirectRunner`.
    """
    summaries = [chunk.summary() for chunk in chunks]
    unfinished = [chunk for chunk, summary in zip(chunks, summaries) if summary is None]
    progress(sum(summary["rows"] for summary in summaries if summary), total)
    if unfinished:
        with apache_beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            (
                pipeline
                | "Chunks" >> apache_beam.Create(unfinished)
                | "Spread" >> apache_beam.Reshuffle()
                | "Prepare" >> apache_beam.Map(_run)
            )
        progress(total, total)
    return [chunk.summary() for chunk in chunks]


def _run(chunk):
    chunk.run()
