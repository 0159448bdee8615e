"""What photographs suffer: blur, light, JPEG, and what stands in front of a face.

Plain arithmetic, the same for TensorFlow and for NumPy: `xp` is `numpy` or
`tensorflow.experimental.numpy`. Pictures are float32 `(batch, height, width, channels)`
in 0..255.
"""

import numpy as np

# JPEG's table for brightness (ITU-T T.81, Annex K), at quality 50.
_QUANTA = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
], np.float32)  # fmt: skip
_BLOCK = 8


def relight(xp, images, contrast, brightness):
    """Grey levels further from their mean, and all brighter.

    Args:
        xp: See above.
        images: Pictures.
        contrast: float32 `(batch,)`, relative: 0 leaves it.
        brightness: float32 `(batch,)`, as a fraction of white.
    """
    mean = xp.mean(images, axis=(1, 2, 3), keepdims=True)
    lit = (images - mean) * (1 + _each(contrast)) + mean + 255 * _each(brightness)
    return xp.clip(lit, 0, 255)


def blur(xp, images, sigma):
    """Gaussian blur; at an edge, what lies beyond it does not count.

    Args:
        xp: See above.
        images: Pictures.
        sigma: float32 `(batch,)`, in pixels.
    """
    # A tenth of a pixel changes nothing that could be seen, and is no division by 0.
    sigma = xp.maximum(sigma, xp.float32(0.1))[:, None, None]

    def matrix(size):
        places = np.arange(size, dtype=np.float32)
        apart = np.square(places[:, None] - places)
        weights = xp.exp(-apart[None] / (2 * sigma * sigma))
        return weights / xp.sum(weights, axis=2, keepdims=True)

    _, height, width, _ = images.shape
    return _transformed(xp, matrix(height), images, matrix(width))


def jpeg(xp, images, quality):
    """The pictures as they come back out of a JPEG file.

    Each channel as the brightness of a grey picture: 8x8 blocks from the top left, by
    the tables and the rule of the Independent JPEG Group.

    Args:
        xp: See above.
        images: Pictures.
        quality: float32 `(batch,)`, 1 to 100.
    """
    _, height, width, _ = images.shape
    # Whole blocks: the last row and column are repeated.
    rows, columns = (-(-size // _BLOCK) * _BLOCK for size in (height, width))
    whole = xp.take(images, np.minimum(np.arange(rows), height - 1), axis=1)
    whole = xp.take(whole, np.minimum(np.arange(columns), width - 1), axis=2)
    scale = xp.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = np.tile(_QUANTA, (rows // _BLOCK, columns // _BLOCK))[None, ..., None]
    steps = xp.clip(xp.floor((table * _each(scale) + 50) / 100), 1, 255)
    down, across = _cosines(rows), _cosines(columns)
    waves = _transformed(xp, down, _rounded(xp, whole) - 128, across)
    waves = _rounded(xp, waves / steps) * steps
    decoded = _rounded(xp, _transformed(xp, down.T, waves, across.T) + 128)
    return xp.clip(decoded[:, :height, :width], 0, 255)


def behind_edge(xp, size, angle, depth):
    """Which pixels lie behind a straight edge that comes from outside.

    Args:
        xp: See above.
        size: Height and width.
        angle: float32 `(batch,)`, whence it comes, in radians: 0 from the right, a
            quarter turn from below.
        depth: float32 `(batch,)`, how far it reaches in, as a fraction of the way
            through the picture.

    Returns:
        bool `(batch, height, width)`.
    """
    places = lambda n: (np.arange(n, dtype=np.float32) + 0.5) / n - 0.5
    across, down = xp.cos(angle)[:, None, None], xp.sin(angle)[:, None, None]
    along = across * places(size[1])[None, None] + down * places(size[0])[None, :, None]
    extent = (xp.abs(across) + xp.abs(down)) / 2
    return along > extent * (1 - 2 * depth[:, None, None])


def _rounded(xp, values):
    # TensorFlow's own `round` in NumPy's clothes needs a switch of the whole process.
    return xp.floor(values + 0.5)


def _each(values):
    return values[:, None, None, None]


def _transformed(xp, rows, images, columns):
    """`rows @ picture @ columns.T` of each channel; matrices of all or of each picture.

    Products of at most three axes: with four, TensorFlow 2.21 on oneDNN reads beyond
    a matrix that several pictures share (its issue 117700).
    """
    return _each_column(xp, columns, _each_column(xp, rows, images))


def _each_column(xp, matrix, images):
    """`matrix` times each column of pixels, turned: `(batch, width, height, ...)`."""
    _, height, width, channels = images.shape
    x = xp.matmul(matrix, xp.reshape(images, (-1, height, width * channels)))
    return xp.transpose(xp.reshape(x, (-1, height, width, channels)), (0, 2, 1, 3))


def _cosines(size):
    """The cosine transform of each block of eight: float32 `(size, size)`."""
    wave, place = np.mgrid[:_BLOCK, :_BLOCK]
    block = np.cos((2 * place + 1) * wave * np.pi / (2 * _BLOCK)) / 2
    block[0] /= np.sqrt(2)
    return np.kron(np.eye(size // _BLOCK), block).astype(np.float32)
