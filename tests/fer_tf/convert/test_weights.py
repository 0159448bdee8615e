import hashlib
import json
import struct

import h5py
import keras
import numpy as np
import pytest

from fer_tf.convert import weights

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


def write_h5(path, layers, *, root=""):
    """Writes `{layer: {weight: array}}` as Keras 2's `save_weights` does."""
    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        top.attrs["layer_names"] = [name.encode() for name in layers]
        for layer, values in layers.items():
            group = top.require_group(layer)
            names = [f"{layer}/{weight}:0" for weight in values]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, values.values()):
                group[name] = value


def test_reads_nested_layer_names(tmp_path):
    """`a` and `a/bn` are two layers, the second inside the first's HDF5 group."""
    path = tmp_path / "w.h5"
    layers = {"a": {"kernel": KERNEL}, "a/bn": {"gamma": KERNEL[0]}, "relu": {}}
    for root in ("", "model_weights"):
        write_h5(path, layers, root=root)
        read = weights.read_h5(path)
        assert list(read) == ["a", "a/bn"]
        np.testing.assert_array_equal(read["a"]["kernel"], KERNEL)
        np.testing.assert_array_equal(read["a/bn"]["gamma"], KERNEL[0])


def test_reads_names_that_keras_split_over_attributes(tmp_path):
    path = tmp_path / "w.h5"
    write_h5(path, {"a": {"kernel": KERNEL}, "b": {"kernel": KERNEL}})
    with h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = [b"a"]
        file.attrs["layer_names1"] = [b"b"]
    assert list(weights.read_h5(path)) == ["a", "b"]


def external_link(file, path):
    file["a/a/kernel:0"] = h5py.ExternalLink("other.h5", "/x")


def soft_link(file, path):
    file["a/a/kernel:0"] = h5py.SoftLink("/b")


def external_storage(file, path):
    path.with_name("raw").write_bytes(KERNEL.tobytes())
    file.create_dataset(
        "a/a/kernel:0", (6,), "float32", external=[(str(path.with_name("raw")), 0, 24)]
    )


def virtual(file, path):
    layout = h5py.VirtualLayout((6,), "float32")
    layout[:] = h5py.VirtualSource(str(path.with_name("other.h5")), "x", (6,))
    file.create_virtual_dataset("a/a/kernel:0", layout)


def objects(file, path):
    file["a/a/kernel:0"] = np.array(["x"], dtype=h5py.string_dtype())


def integers(file, path):
    file["a/a/kernel:0"] = np.arange(3)


def not_a_number(file, path):
    file["a/a/kernel:0"] = np.array([1, np.nan])


def bomb(file, path):
    file.create_dataset("a/a/kernel:0", (2**40,), "float32", chunks=(2**20,))


def compressed(file, path):
    """1.2 GB of zeros in some kilobytes."""
    file.create_dataset(
        "a/a/kernel:0", (3 * 10**8,), "f4", chunks=(2**20,), compression="gzip"
    )


def no_space(file, path):
    file["a/a/kernel:0"] = h5py.Empty("f4")


def one_for_all(file, path):
    """Many layers that list the same array, which would be read for each."""
    file["a/a/kernel:0"] = KERNEL
    file.attrs["layer_names"] = [b"a", b"b"]
    file.create_group("b").attrs["weight_names"] = [b"/a/a/kernel:0"]


def names_that_are_none(file, path):
    file["a"].attrs["weight_names"] = [1, 2]


def a_name_that_is_no_text(file, path):
    file["a"].attrs["weight_names"] = [b"\xff\xfe"]


def a_layer_that_is_an_array(file, path):
    file.attrs["layer_names"] = [b"x"]
    file["x"] = KERNEL


def a_group(file, path):
    file.create_group("a/a/kernel:0")


def absent(file, path):
    pass


@pytest.mark.parametrize(
    "damage, message",
    [
        (external_link, "link to elsewhere"),
        (soft_link, "link to elsewhere"),
        (external_storage, "outside the file"),
        (virtual, "outside the file"),
        (objects, "holds no numbers"),
        (integers, "floating-point"),
        (not_a_number, "finite"),
        (bomb, "declares more bytes than the file has"),
        (compressed, "declares more bytes than the file has"),
        (no_space, "holds no numbers"),
        (one_for_all, "is listed twice"),
        (names_that_are_none, "'weight_names' must be names"),
        (a_name_that_is_no_text, "utf-8"),
        (a_layer_that_is_an_array, "must list its 'weight_names'"),
        (a_group, "floating-point"),
        (absent, "is listed, but not in the file"),
    ],
)
def test_refuses(damage, message, tmp_path):
    path = tmp_path / "w.h5"
    write_h5(path, {"a": {"kernel": KERNEL}})
    with h5py.File(path, "a") as file:
        del file["a/a/kernel:0"]
        damage(file, path)
    with pytest.raises(ValueError, match=f"w.h5: .*{message}") as got:
        weights.read_h5(path)
    assert "\n" not in str(got.value)


def test_refuses_other_files(tmp_path):
    path = tmp_path / "w.h5"
    path.write_bytes(b"<html>")
    with pytest.raises(ValueError, match="w.h5: not a readable HDF5 file"):
        weights.read_h5(path)
    h5py.File(path, "w").close()
    with pytest.raises(ValueError, match="layer_names"):
        weights.read_h5(path)


def test_safetensors(tmp_path):
    pytest.importorskip("safetensors", reason="needs the extra `convert`")
    path = tmp_path / "w.safetensors"
    spec = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    header = json.dumps(spec).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + KERNEL.tobytes())
    np.testing.assert_array_equal(weights.read_safetensors(path)["a"], KERNEL)
    path.write_bytes(b"<html>")
    with pytest.raises(ValueError, match="must be a safetensors file"):
        weights.read_safetensors(path)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "F4", "X9"])
def test_safetensors_of_types_that_numpy_lacks(dtype, tmp_path):
    pytest.importorskip("safetensors", reason="needs the extra `convert`")
    path = tmp_path / "w.safetensors"
    spec = {"a": {"dtype": dtype, "shape": [2, 4], "data_offsets": [0, 8]}}
    header = json.dumps(spec).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    with pytest.raises(ValueError, match="w.safetensors must be .* numbers that NumPy"):
        weights.read_safetensors(path)


def test_sha256_is_printed_and_checked(tmp_path, capsys):
    path = tmp_path / "w"
    path.write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    weights.check_sha256(path, digest.upper())
    assert capsys.readouterr().out == f"{digest}  {path}\n"
    with pytest.raises(ValueError, match=digest):
        weights.check_sha256(path, "0" * 64)


def small_model():
    image = keras.Input((3,), name="image")
    x = keras.layers.Dense(2, use_bias=False, name="a")(image)
    return keras.Model(image, keras.layers.Dense(1, name="head")(x))


def test_assigns_a_part():
    model = small_model()
    head = model.get_layer("head").kernel.numpy()
    assert weights.assign(model, {"a/kernel": KERNEL.T}, only="a/") == ["a/kernel"]
    np.testing.assert_array_equal(model.get_layer("a").kernel, KERNEL.T)
    np.testing.assert_array_equal(model.get_layer("head").kernel, head)


@pytest.mark.parametrize(
    "values, only, message",
    [
        ([("a/kernel", KERNEL.T)] * 2, "a/", "assigned twice"),
        ({"a/kernel": KERNEL}, "a/", r"must have shape \(3, 2\), received \(2, 3\)"),
        ({}, "a/", "a/kernel is missing"),
        ({"a/kernel": KERNEL.T}, ".*", "head/bias is missing"),
        ({"a/kernel": KERNEL.T, "a/bias": KERNEL}, "a/", "a/bias is unexpected"),
        ({}, "backbone", "no weight matches"),
    ],
)
def test_assigns_everything_once_or_nothing(values, only, message):
    model = small_model()
    before = model.get_layer("a").kernel.numpy()
    with pytest.raises(ValueError, match=message):
        weights.assign(model, values, only=only)
    np.testing.assert_array_equal(model.get_layer("a").kernel, before)
