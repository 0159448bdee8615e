"""The npm package @vladmandic/face-api: published names and shapes, drawn numbers."""

import io
import json
import math
import tarfile

import numpy as np

FOLDER = "package/model/face_recognition_model"
MEMBERS = (f"{FOLDER}-weights_manifest.json", f"{FOLDER}.bin")
STAGES = {32: "1 2 3", 64: "down 1 2 3", 128: "down 1 2", 256: "down 1 2 down_out"}


def shapes():
    """`{name: shape}` of the 117 arrays, in the order of the published file."""
    found = {}

    def convolution(name, size, inputs, filters):
        found[f"{name}/conv/filters"] = (size, size, inputs, filters)
        for part in ("conv/bias", "scale/weights", "scale/biases"):
            found[f"{name}/{part}"] = (filters,)

    convolution("conv32_down", 7, 3, 32)
    inputs = 32
    for filters, blocks in STAGES.items():
        for block in blocks.split():
            for number in (1, 2):
                name = f"conv{filters}_{block}/conv{number}"
                convolution(name, 3, inputs, filters)
                inputs = filters
    return {**found, "fc": (256, 128)}


def table_and_numbers(seed=0):
    """The table and the bytes; stage 64 is float32, as published, the rest uint8."""
    random, table, numbers = np.random.RandomState(seed), [], []
    for name, shape in shapes().items():
        values = random.randint(0, 256, shape).astype("uint8")
        # He's deviation for kernels; scales in 0.5..1.5; small biases.
        if len(shape) > 1:
            step = math.sqrt(2 / math.prod(shape[:-1])) / 74
        else:
            step = 1 / 255 if name.endswith("weights") else 0.2 / 255
        low = 0.5 if name.endswith("weights") else -127.5 * step
        entry = {"name": name, "shape": list(shape), "dtype": "float32"}
        if name.startswith("conv64"):
            values = (values * step + low).astype("<f4")
        else:
            entry["quantization"] = {"dtype": "uint8", "scale": step, "min": low}
        table.append(entry)
        numbers.append(values.tobytes())
    paths = ["face_recognition_model.bin"]
    return [{"weights": table, "paths": paths}], b"".join(numbers)


def write(path, table, numbers):
    """Writes the package; `table` may be any text."""
    text = table if isinstance(table, str) else json.dumps(table)
    with tarfile.open(path, "w:gz", compresslevel=1) as package:
        for name, data in zip(MEMBERS, (text.encode(), numbers)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            package.addfile(info, io.BytesIO(data))
    return path


def wave(size=150):
    """A coloured pattern of whole numbers, uint8 `(size, size, 3)`."""
    y, x, c = np.mgrid[:size, :size, :3]
    value = 127.5 + 100 * np.sin(x / (7.0 + 3 * c) + c) * np.cos(y / (11.0 - 2 * c))
    return np.round(value).astype(np.uint8)
