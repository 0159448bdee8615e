"""The tests' small config as a file, for `trainers.train` in a process of its own."""

from tests.testing_utils import tiny_config


def get_config():
    return tiny_config()
