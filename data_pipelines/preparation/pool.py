"""Chunks done by the processes of one machine."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool

import cv2

from data_pipelines.preparation.chunks import Chunk

# Seconds between two looks at the workers' progress.
_GLANCE = 0.2


def run(
    chunks: Sequence[Chunk],
    progress: Callable[[int, int], None],
    total: int,
    *,
    workers: int = 1,
) -> list[dict]:
    """Runs the chunks that are not done, here or in several processes.

    Args:
        chunks: All chunks of a data set.
        progress: Called with the rows done and the rows in all.
        total: Rows in all.
        workers: Processes.

    Returns:
        The summary of each chunk.

    Raises:
        Exception: What the first chunk to fail has raised.
    """
    summaries = [chunk.summary() for chunk in chunks]
    unfinished = [n for n, summary in enumerate(summaries) if summary is None]
    before = sum(summary["rows"] for summary in summaries if summary)
    progress(before, total)
    if workers > 1 and len(unfinished) > 1:
        show = lambda done: progress(before + done, total)
        _run_in_pool(chunks, unfinished, min(workers, len(unfinished)), summaries, show)
    else:
        done = before

        def tick():
            nonlocal done
            done += 1
            progress(done, total)

        for number in unfinished:
            summaries[number] = chunks[number].run(tick)
    return summaries


def _run_in_pool(chunks, unfinished, workers, summaries, show):
    # Spawned, not forked: a fork of a process that has used TensorFlow hangs.
    context = multiprocessing.get_context("spawn")
    # A worker ends when this end closes, at the latest with this process. (An event
    # would wait for a worker that was killed.)
    parent_end, worker_end = context.Pipe()
    done = context.Value("q", 0)
    pool = futures.ProcessPoolExecutor(
        workers, context, initializer=_begin_worker, initargs=(worker_end, done)
    )
    with parent_end, worker_end, pool:
        try:
            with _interrupt_held_back():
                running = {
                    pool.submit(_run_in_worker, chunks[n]): n for n in unfinished
                }
            waiting, shown = set(running), 0
            while waiting:
                finished, waiting = futures.wait(
                    waiting, _GLANCE, futures.FIRST_COMPLETED
                )
                for future in finished:
                    summaries[running[future]] = future.result()
                # Without the lock, which a worker that was killed may hold.
                if done.get_obj().value > shown:
                    shown = done.get_obj().value
                    show(shown)
        except BaseException as error:
            # The other workers end at once; the next run repeats their chunks.
            parent_end.close()
            with _interrupt_ignored():
                pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(error, BrokenProcessPool):
                raise BrokenProcessPool(
                    "a worker process was killed, perhaps because the memory is "
                    "full; the same command goes on from here"
                ) from error
            raise


@contextlib.contextmanager
def _interrupt_held_back():
    """Keeps Ctrl-C from processes that are starting, which would print where.

    They inherit that it is held back, until `_begin_worker`; we get it afterwards.
    """
    if not _may_set_signals() or not hasattr(signal, "pthread_sigmask"):  # Windows.
        yield
        return
    held = []
    # The mask is of this thread alone: another may still be told.
    handler = signal.signal(signal.SIGINT, lambda *received: held.append(received))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if held and callable(handler):
        handler(*held[0])


@contextlib.contextmanager
def _interrupt_ignored():
    """Ignores Ctrl-C: a second one would only interrupt the clearing up."""
    if not _may_set_signals():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _may_set_signals():
    return threading.current_thread() is threading.main_thread()


_rows_done = None


def _run_in_worker(chunk):
    return chunk.run(_tick)


def _tick():
    with _rows_done.get_lock():
        _rows_done.value += 1


def _begin_worker(parent, done):
    """Sets up a worker, which ends as soon as its parent does."""
    global _rows_done
    _rows_done = done
    # Ctrl-C reaches all processes, and the parent is the one to tell of it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # Each worker has one core. Before TensorFlow is imported, if it ever is.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    # No worker uses an accelerator, and each would take all of its memory.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    cv2.setNumThreads(1)

    def watch():
        with contextlib.suppress(EOFError, OSError):
            parent.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
