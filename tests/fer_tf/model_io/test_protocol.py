import json

import pytest

from fer_tf.model_io.protocol import Protocol


def test_it_is_its_name_in_files_paths_and_flags():
    assert list(Protocol) == ["clean", "paper"]
    assert json.dumps({Protocol.PAPER: Protocol.CLEAN}) == '{"paper": "clean"}'
    assert f"{Protocol.PAPER}.npz" == "paper.npz"
    with pytest.raises(ValueError, match="other"):
        Protocol("other")


def test_each_chooses_on_its_split_and_says_what_that_means():
    assert [each.chosen_on for each in Protocol] == ["validation", "test"]
    assert "chosen on validation" in Protocol.CLEAN.meaning()
    for protocol in Protocol:
        flatters = "flatter" in protocol.meaning()
        assert flatters == (protocol.chosen_on == "test")
        assert "flatter" in protocol.meaning(reported_on="validation")
