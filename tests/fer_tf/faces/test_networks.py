import numpy as np


def test_memory_that_tensorflow_takes_over():
    from fer_tf.faces import networks

    for shape in ((1, 3, 5, 3), (2, 7, 7, 4), (1,)):
        array = networks.empty(shape)
        assert array.shape == shape and array.dtype == np.float32
        assert array.ctypes.data % 64 == 0
        array[:] = np.arange(array.size).reshape(shape)
        tensor = networks.tensor(array)
        del array
        np.testing.assert_array_equal(tensor, np.arange(np.prod(shape)).reshape(shape))
