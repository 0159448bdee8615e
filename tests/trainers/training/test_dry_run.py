from tests.testing_utils import tiny_config
from tests.trainers.training.small_runs import assemble_and_check
from trainers.training import dry_run


def test_it_describes_the_run_and_writes_nothing(synthetic_data, tmp_path):
    run = assemble_and_check(tiny_config(), synthetic_data, tmp_path / "run")
    text = dry_run.describe(run)
    assert "GiB" in text and "evaluat" in text
    assert not (tmp_path / "run").exists()
