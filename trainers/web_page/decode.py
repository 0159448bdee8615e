"""A stranger's picture -> pixels, decoded in a process of its own.

A picture that takes for ever, or that crashes the decoder, ends that process and not
the page.
"""

import json
import multiprocessing
import signal

import numpy as np

from fer_tf.faces.images import ImageError, read_image

# Seconds; the largest picture that is allowed takes a few.
PATIENCE = 30


def read_apart(path: str, *, patience: float = PATIENCE) -> np.ndarray:
    """Reads a picture as `fer_tf.faces.read_image` does.

    Args:
        path: Of the file.
        patience: Most seconds that decoding may take.

    Returns:
        uint8 RGB `(height, width, 3)`.

    Raises:
        ImageError: If it cannot be read, or not in that time.
    """
    context = multiprocessing.get_context("spawn")
    answer, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, path), daemon=True)
    process.start()
    sender.close()
    try:
        if not answer.poll(patience):
            raise ImageError(f"takes more than {patience:g} s to decode")
        head = json.loads(answer.recv_bytes())
        if "error" in head:
            raise ImageError(head["error"])
        image = np.empty(head["shape"], np.uint8)
        answer.recv_bytes_into(image.reshape(-1))
        return image
    except EOFError:
        raise ImageError("breaks the decoder") from None
    finally:
        process.kill()
        process.join()
        answer.close()


def _answer(sender, path):
    """Sends the shape and the pixels, or what is wrong, without pickle."""
    # Ctrl-C reaches every process of the terminal, but the page ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        image = np.ascontiguousarray(read_image(path))
    except ImageError as error:
        sender.send_bytes(json.dumps({"error": str(error)}).encode())
        return
    sender.send_bytes(json.dumps({"shape": image.shape}).encode())
    sender.send_bytes(image.reshape(-1))
