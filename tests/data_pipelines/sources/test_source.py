import dataclasses

import pytest

from data_pipelines.preparation.cropping import DETECTORS
from data_pipelines.sources import SOURCES, OptionError, dataset_facts, open_source
from fer_tf.dataset_facts import UNKNOWN
from fer_tf.faces.crop_spec import CROP_SPECS

# Pictures of the user's own: nobody published them.
OWN = {"folder", "csv", "facenonface", "synthetic"}


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_states_what_is_special_about_its_data_set(name):
    stated = vars(SOURCES[name])
    assert stated["name"] == name
    assert stated["default_crop"] in CROP_SPECS
    assert stated["default_detector"] in DETECTORS
    facts = dataclasses.asdict(stated["facts"])
    assert all(text for key, text in facts.items() if key != "flaws")
    assert (stated["facts"] is UNKNOWN) == (name in ("folder", "csv"))
    assert bool(stated["citation"]) == (name not in OWN)
    tables = stated.get("published_tables", {}).values()
    assert "published" in stated or tables  # Or it depends on an option.
    for table in tables:
        assert table["train"] and table["test"]


def test_crops_and_detectors_are_those_of_the_papers():
    defaults = {n: (s.default_crop, s.default_detector) for n, s in SOURCES.items()}
    assert defaults == {
        "fer2013": ("meen", "none"), "ferplus": ("meen", "none"),
        "affectnet": ("wang2018", "mtcnn"), "affwild2": ("zhang2020", "annotated"),
        "rafdb": ("gan2020", "mtcnn"), "ckplus": ("gan2020", "mtcnn"),
        "facenonface": ("meen", "none"), "folder": ("meen", "mtcnn"),
        "csv": ("meen", "mtcnn"), "synthetic": ("synthetic", "none"),
    }  # fmt: skip


def test_drawn_faces_keep_their_size_unless_a_papers_crop_is_asked_for():
    source = open_source("synthetic", "size=48")
    assert source.crop_spec().size == 48 and source.crop_spec().name == "synthetic"
    assert source.crop_spec("gan2020") == CROP_SPECS["gan2020"]


def test_facts_of_joined_data_sets_are_in_their_order():
    facts = dataset_facts("fer2013+of_somebody+synthetic")
    assert [f.title for f in facts] == ["FER2013", UNKNOWN.title, "Drawn faces"]
    assert dataset_facts("csv") == [UNKNOWN]


@pytest.mark.parametrize("name", SOURCES)
def test_an_option_that_a_source_does_not_have_is_refused(name):
    with pytest.raises(OptionError, match=f"{name} has no option 'nothing'"):
        open_source(name, "", nothing=1)


def test_a_value_that_an_option_cannot_have_is_refused():
    with pytest.raises(OptionError, match="must be one of 0, 1, .* fold=10"):
        open_source("ckplus", "", fold=10)
