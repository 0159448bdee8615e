"""Weight files from strangers: each hazard is one clear line, and nothing else."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from fer_tf.model_io import model_folder
from fer_tf.utils.hashing import sha256
from tests.fer_tf.model_io.small_folders import (
    ARGUMENTS,
    change_card,
    refused,
    save_whole,
    state_hash,
)


@pytest.mark.parametrize("kept", [0, 10, 5000, -1])
def test_a_truncated_file(kept, folder):
    path = folder / model_folder.WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    state_hash(folder)
    refused(folder, "not a readable HDF5 file")


def test_fuzzed_files_load_or_are_refused(folder):
    """Whatever byte is wrong: a ValueError, never another error or a crash."""
    path, rng = folder / model_folder.WEIGHTS, np.random.default_rng(0)
    good, outcomes = path.read_bytes(), set()
    for place in rng.integers(0, len(good), 6):
        bad = bytearray(good)
        bad[place] ^= 0xFF
        path.write_bytes(bytes(bad))
        state_hash(folder)
        try:
            model_folder.load(folder)
            outcomes.add("loaded")
        except ValueError:
            outcomes.add("refused")
    assert "refused" in outcomes


def _kernel(file):
    """Path of a convolution's kernel within an HDF5 file."""
    found = []
    file.visititems(
        lambda name, item: (
            found.append(name)
            if isinstance(item, h5py.Dataset) and item.ndim == 4
            else None
        )
    )
    return found[0]


def _external_link(file, name, shape):
    file[name] = h5py.ExternalLink("other.h5", "/x")


def _soft_link(file, name, shape):
    file["elsewhere"] = np.zeros(shape, "f4")
    file[name] = h5py.SoftLink("/elsewhere")


def _outside_storage(file, name, shape):
    size = 4 * int(np.prod(shape))
    file.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, size)])


def _virtual(file, name, shape):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape)
    file.create_virtual_dataset(name, layout)


def _bomb(file, name, shape):
    file.create_dataset(name, (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))


def _cycle(file, name, shape):
    file[name] = file["layers"]


def _compressed(file, name, shape):
    """1.2 GB of zeros in a file of some kilobytes."""
    file.create_dataset(
        name, (300_000_000,), "f4", chunks=(1 << 20,), compression="gzip"
    )


def _no_space(file, name, shape):
    file[name] = h5py.Empty("f4")


def _dates(file, name, shape):
    """A type that NumPy lacks."""
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.UNIX_D32LE, space)


def _many(file, name, shape):
    for number in range(20_001):
        file.create_group(f"extra/{number}")


def _strings(file, name, shape):
    file.create_dataset(name, shape, h5py.string_dtype())


def _another_shape(file, name, shape):
    file[name] = np.zeros((*shape[:-1], shape[-1] + 1), "f4")


def _nothing(file, name, shape):
    pass


def _nan(file, name, shape):
    file[name] = np.full(shape, np.nan, "f4")


@pytest.mark.slow
@pytest.mark.parametrize(
    "plant, match",
    [
        (_external_link, "link to elsewhere"),
        (_soft_link, "link to elsewhere"),
        (_outside_storage, "outside the file"),
        (_virtual, "outside the file"),
        (_bomb, "declares more bytes than the file has"),
        (_compressed, "declares more bytes than the file has"),
        (_no_space, "holds no numbers"),
        (_dates, "holds no numbers"),
        (_many, "holds more than 20,000 arrays and groups"),
        (_cycle, "another name of"),
        (_strings, "holds no numbers"),
        (_another_shape, "does not fit the model 'small_resnet' .*shape"),
        (_nothing, "does not fit the model 'small_resnet'"),
        (_nan, "NaN or infinite"),
    ],
)
def test_hostile_hdf5_files(plant, match, folder):
    with h5py.File(folder / model_folder.WEIGHTS, "r+") as file:
        name = _kernel(file)
        shape = file[name].shape
        del file[name]
        plant(file, name, shape)
    state_hash(folder)
    refused(folder, match)


def test_weights_of_another_model(folder):
    change_card(folder, arguments={**ARGUMENTS, "stage_filters": [16, 16]})
    refused(folder, "does not fit the model 'small_resnet'")


def test_a_whole_model_with_a_lambda_is_refused(folder):
    image = keras.Input((44, 44, 1), name="image")
    logits = keras.layers.Lambda(lambda x: x[:, 0, :7, 0])(image)
    path = save_whole(folder, keras.Model(image, {"expression": logits}))
    refused(path, "cannot be loaded safely .*[Ll]ambda")


def test_a_whole_model_that_is_no_archive(model, folder):
    path = save_whole(folder, model)
    path.write_bytes(path.read_bytes()[:1000])
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, "cannot be loaded safely")


def rewrite(path, **members):
    """Replaces members of an archive; compressed, as an attacker would."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_", "."): value for name, value in members.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            archive.writestr(name, value)


def _weights_of(path, plant):
    """The HDF5 file in an archive, with something planted in it."""
    with zipfile.ZipFile(path) as archive:
        file = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(file, "r+") as opened:
        name = _kernel(opened)
        shape = opened[name].shape
        del opened[name]
        plant(opened, name, shape)
    return file.getvalue()


def _huge(path):
    """The config of a network of one dense layer of 10^9 outputs."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("config.json").decode()
    assert '"units": 7,' in text
    return text.replace('"units": 7,', '"units": 1000000000,')


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda p: dict(config_json=b" " * (15 << 20)), "config.json would unpack"),
        (lambda p: dict(metadata_json=b" " * (2 << 20)), "metadata.json would unpack"),
        (lambda p: dict(assets=b"x"), "must hold model.weights.h5, config.json"),
        (lambda p: {"../../evil": b"x"}, "must hold model.weights.h5, config.json"),
        (lambda p: dict(config_json=b"[" * 9_000), "cannot be loaded safely"),
        (lambda p: dict(config_json=b"{}"), "cannot be loaded safely"),
        (lambda p: dict(config_json=_huge(p)), "larger than its file, which holds"),
        (lambda p: {"model.weights.h5": b"\0" * (300 << 20)}, "would unpack 3"),
        (lambda p: {"model.weights.h5": _weights_of(p, _compressed)}, "declares more"),
        (lambda p: {"model.weights.h5": _weights_of(p, _no_space)}, "no numbers"),
        (lambda p: {"model.weights.h5": _weights_of(p, _external_link)}, "a link to"),
        (lambda p: {"model.weights.h5": _weights_of(p, _outside_storage)}, "outside"),
    ],
)
def test_hostile_whole_models(change, match, model, folder):
    path = save_whole(folder, model)
    rewrite(path, **change(path))
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, match)


def test_a_member_that_states_too_little_is_found(model, folder):
    """The size in an archive's list is the sender's word: no more than it is read."""
    path = save_whole(folder, model)
    rewrite(path, config_json=b" " * (100 << 20))
    content = path.read_bytes()
    assert content.count((100 << 20).to_bytes(4, "little")) == 2
    lie = (1000).to_bytes(4, "little")
    path.write_bytes(content.replace((100 << 20).to_bytes(4, "little"), lie))
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, "cannot be loaded safely")
