"""A network of a chain, run by LiteRT."""

import os
import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Network:
    """A LiteRT file as a function of one array; see `fer_tf.chain.onnx_network`."""

    def __init__(self, path: str, threads: int = 0):
        try:
            self._interpreter = Interpreter(
                model_path=path, num_threads=threads or os.cpu_count()
            )
        except (RuntimeError, ValueError) as error:
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{path}: LiteRT refuses it ({line})") from error
        (taken,) = self._interpreter.get_input_details()
        self._input, self._batch = taken["index"], taken["shape_signature"][0]
        self._shape = None
        outputs = {o["name"]: o for o in self._interpreter.get_output_details()}
        if self._interpreter.get_signature_list():
            outputs = self._interpreter.get_signature_runner().get_output_details()
        self.names = list(outputs)
        self._outputs = [output["index"] for output in outputs.values()]
        # An interpreter's tensors are those of one call.
        self._turn = threading.Lock()

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """The outputs, in the order of their names."""
        with self._turn:
            if self._batch == 1:  # Whatever it is given, it takes one at a time.
                parts = [self._ran(value[None]) for value in values]
                return [np.concatenate(column) for column in zip(*parts)]
            return self._ran(values)

    def _ran(self, values):
        if values.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, values.shape)
            self._interpreter.allocate_tensors()
            self._shape = values.shape
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
