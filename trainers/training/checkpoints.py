"""Checkpoints: written while training goes on, read back whole or not at all.

The training thread only references the values (TensorFlow copies a variable that is
assigned to while its value is referenced). A second thread writes them as a
`tf.train.Checkpoint`. TensorFlow's own `experimental_enable_async_checkpoint` fails on
Keras' variables at the second checkpoint (TF 2.21).
"""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

KEPT = 2


class Checkpoints:
    """The newest checkpoints of a run.

    `parts`, a nest of dicts and lists of variables, is what is saved. Its keys and
    positions name the values in the checkpoint.

    Args:
        folder: Made when something is saved.

    Raises:
        ValueError: If TensorFlow could not read checkpoints back from there.
    """

    def __init__(self, folder: str):
        # TensorFlow reads these as a pattern and does not find its own files.
        if set(folder) & set("[]*?\\") - {os.sep}:
            raise ValueError(
                f"{folder}: checkpoints cannot be read back from a path with any of "
                "[ ] * ? or a backslash"
            )
        self.folder = folder
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._pending = None

    def save(self, parts: dict, number: int) -> None:
        """Starts to write checkpoint `number`; waits for the one before it.

        Raises:
            OSError: If the one before could not be written.
        """
        self.wait()
        values = tf.nest.map_structure(tf.convert_to_tensor, parts)
        self._pending = self._writer.submit(self._write, values, number)

    def wait(self) -> None:
        """Waits until the checkpoint that was started is on the disk.

        Raises:
            OSError: If it could not be written.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def newest(self) -> str | None:
        """Path of the newest readable checkpoint; prints which are damaged."""
        paths = self._indexed() or self._by_name()
        for path in reversed(paths):
            try:
                reader = tf.train.load_checkpoint(path)
                for name in reader.get_variable_to_shape_map():
                    reader.get_tensor(name)  # Its checksum is verified here.
                return path
            except (tf.errors.OpError, LookupError, ValueError, RuntimeError):
                print(f"{path} is damaged; trying the checkpoint before it")
        if paths:
            print("no checkpoint can be read; beginning anew")
        return None

    def clear_up(self) -> None:
        """Removes unfinished and outdated files of an earlier session."""
        paths = self._indexed()
        if not paths and (paths := self._by_name()):
            # A damaged list of checkpoints: the next one could not be added to it.
            times = [os.path.getmtime(f"{path}.index") for path in paths]
            tf.compat.v1.train.update_checkpoint_state(
                self.folder,
                paths[-1],
                paths,
                all_model_checkpoint_timestamps=times,
                last_preserved_timestamp=0.0,
            )
        prefixes = {os.path.basename(path) for path in paths}
        for name in os.listdir(self.folder) if os.path.isdir(self.folder) else ():
            if name == "checkpoint" or name.rpartition(".")[0] in prefixes:
                continue
            path = os.path.join(self.folder, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.remove(path)

    def _by_name(self):
        """Paths of the checkpoints by their names, oldest first.

        Used where a power cut has damaged TensorFlow's own list of them.
        """
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else ()
        matches = filter(None, (re.fullmatch(r"ckpt-(\d+)\.index", n) for n in names))
        numbers = sorted(int(match[1]) for match in matches)
        return [os.path.join(self.folder, f"ckpt-{number}") for number in numbers]

    def _indexed(self):
        """Paths of the checkpoints that TensorFlow lists, oldest first."""
        try:
            state = tf.train.get_checkpoint_state(self.folder)
        except ValueError:
            return []
        return list(state.all_model_checkpoint_paths) if state else []

    def _write(self, values, number):
        try:
            with tf.device("CPU:0"):
                variables = tf.nest.map_structure(tf.Variable, values)
                checkpoint = tf.train.Checkpoint(**variables)
                # Derived from the step, so that a resumed run has the same count.
                checkpoint.save_counter.assign(number - 1)
                manager = tf.train.CheckpointManager(
                    checkpoint, self.folder, max_to_keep=KEPT
                )
                manager.save(checkpoint_number=number)
        except (tf.errors.OpError, OSError) as error:
            self.clear_up()
            reason = str(error).splitlines()[0]
            raise OSError(
                f"{self.folder}: checkpoint {number} cannot be written ({reason}); "
                "the one before it is whole"
            ) from error


def value(path: str, *keys: str):
    """One value of a checkpoint, by its keys in the saved parts."""
    name = "/".join((*keys, ".ATTRIBUTES", "VARIABLE_VALUE"))
    return tf.train.load_checkpoint(path).get_tensor(name)


def restore(path: str, parts: dict) -> None:
    """Reads the variables of `parts` from a checkpoint.

    Raises:
        ValueError: If it was written by another version of the model.
    """
    with tf.device("CPU:0"):
        read = tf.nest.map_structure(
            lambda variable: tf.Variable(tf.zeros(variable.shape, variable.dtype)),
            parts,
        )
        try:
            status = tf.train.Checkpoint(**read).read(path)
            status.assert_existing_objects_matched().expect_partial()
        except (AssertionError, ValueError) as error:
            raise ValueError(
                f"{path}: does not fit this model and optimizer; it was written by "
                "another version"
            ) from error
    tf.nest.map_structure(lambda variable, value: variable.assign(value), parts, read)
