import pytest

from data_pipelines import synthetic


def test_source_options():
    options, examples = synthetic.source_options("")
    assert (options.seed, options.size, examples) == (0, 96, 1200)
    options, examples = synthetic.source_options(
        "seed=3, examples=50,size=64,grey=true"
    )
    assert options == synthetic.SyntheticOptions(seed=3, size=64, grey=True)
    assert examples == 50


@pytest.mark.parametrize(
    "text, named",
    [
        ("sead=1", "sead"),
        ("seed", "seed"),
        ("size=large", "size"),
        ("size=20", "size"),
        ("examples=0", "examples"),
        ("seed=-1", "seed"),
        ("label_noise=2", "label_noise"),
        ("missing=nan", "missing"),
        ("imbalance=raf", "imbalance"),
        ("grey=maybe", "grey"),
    ],
)
def test_bad_source_options_are_named(text, named):
    with pytest.raises(ValueError, match=named):
        synthetic.source_options(text)
