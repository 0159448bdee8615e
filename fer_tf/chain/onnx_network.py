"""A network of a chain, run by ONNX Runtime."""

import numpy as np
import onnxruntime


class Network:
    """An ONNX file as a function of one array.

    Args:
        path: Of the file.
        threads: Processor cores that it uses; 0 for all of them.

    Attributes:
        names: Of its outputs.

    Raises:
        ValueError: If ONNX Runtime refuses the file.
    """

    def __init__(self, path: str, threads: int = 0):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait in a loop take the processor from the other network's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class for each reason.
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{path}: ONNX Runtime refuses it ({line})") from error
        (taken,) = self._session.get_inputs()
        self._input = taken.name
        self.names = [output.name for output in self._session.get_outputs()]

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """The outputs, in the order of their names."""
        return self._session.run(None, {self._input: values})
