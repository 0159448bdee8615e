"""Which runs a table needs, on which data, with which changes."""

import json
import shutil

import pytest
from absl import flags
from ml_collections import config_flags

from data_pipelines.batches import pipeline
from data_pipelines.sources import DataError
from fer_tf import labels
from fer_tf.faces.crop_spec import CROP_SPECS
from trainers.common.cli import UsageError
from trainers.tables import plan
from trainers.tables import runs as table_runs
from trainers.tables.papers import TABLES
from trainers.tables.plan import Choices
from trainers.training import workdir

MEEN_WITH_FACES = 7  # All but VGG19 and "Emotion features".


def folder(path, dataset, classes, layout="x"):
    path.mkdir(parents=True)
    manifest = {
        "schema_version": 1,
        "format": "tfrecord",
        "votes": False,
        "cropped": {},
        "plan": {},
        "fold_subjects": [],
        "dataset": dataset,
        "num_examples": 9 * len(classes),
        "counts": {"train": dict.fromkeys(classes, 9)},
        "rejects": [],
        "crop_spec": CROP_SPECS["meen"].to_dict(),
        "source": {"layout": layout},
        "expressions": list(labels.EXPRESSIONS),
        "action_units": [],
        "num_landmarks": 0,
        "shards": [
            {
                "name": f"{dataset}-train.tfrecord-00000-of-00001",
                "num_examples": 9 * len(classes),
                "sha256": "0" * 64,
            }
        ],
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    return str(path)


@pytest.fixture
def data(tmp_path):
    """Four prepared folders, by name."""
    faces = ("anger", "fear")
    return {
        "fer2013": folder(tmp_path / "data" / "fer2013", "fer2013", faces),
        "rafdb": folder(tmp_path / "data" / "rafdb", "rafdb", faces),
        "affwild2": folder(tmp_path / "data" / "affwild2", "affwild2", ("unlabelled",)),
        "facenonface": folder(
            tmp_path / "data" / "facenonface", "facenonface", ("face", "nonface")
        ),
    }


def planned(table, data, **choices):
    table = TABLES[table]
    sources = plan.find_sources(data, table)
    rows = plan.plan(table, table.rows, sources, Choices("work", **choices))
    return {row.row.name: row for row in rows}


def test_the_papers_data_is_picked_out_of_a_folder_of_several(data, tmp_path):
    found = plan.find_sources(str(tmp_path / "data"), TABLES["meen_1"])
    assert found.main == (data["fer2013"],) and found.faces == (data["facenonface"],)
    found = plan.find_sources(str(tmp_path / "data"), TABLES["zhang_1"])
    assert found.main == (data["affwild2"],)
    assert set(found.unused) == {data["fer2013"], data["rafdb"]}
    # Other data trains too, and the table says whose it is.
    found = plan.find_sources(data["rafdb"], TABLES["wang_1"])
    assert found.main == (data["rafdb"],) and found.dataset == "rafdb"
    with pytest.raises(DataError, match="no training examples"):
        plan.find_sources(data["facenonface"], TABLES["meen_1"])
    with pytest.raises(DataError, match="no manifest.json"):
        plan.find_sources(str(tmp_path / "absent"), TABLES["meen_1"])


def test_a_data_set_prepared_twice_must_be_named(data, tmp_path):
    for name in ("raw", "clean"):
        shutil.copytree(data["fer2013"], tmp_path / "both" / name)
    with pytest.raises(DataError, match="several folders of fer2013 .*clean.*raw"):
        plan.find_sources(str(tmp_path / "both"), TABLES["meen_1"])
    # Who names both means both: parts of one set.
    both = f"{tmp_path}/both/raw,{tmp_path}/both/clean"
    assert len(plan.find_sources(both, TABLES["meen_1"]).main) == 2


def test_the_face_network_comes_first_or_its_rows_say_what_is_missing(data):
    both = f"{data['fer2013']},{data['facenonface']}"
    rows = planned("meen_1", both, seeds=2)
    last = rows["Model 3: Separately"]
    assert [run.name for run in last.all_runs] == [
        "meen_face_network_seed0",
        "meen_face_network_seed1",
        "meen_model3_separately_seed0",
        "meen_model3_separately_seed1",
    ]
    for seed, face in enumerate(last.before):
        (run,) = last.runs[seed][0]
        assert run.changes["submodels.face_network"] == face.path
        assert face.data == data["facenonface"] and run.data == data["fer2013"]
    assert not rows["VGG19"].before and not rows["Model 3: Emotion features"].before
    rows = planned("meen_1", data["fer2013"])
    without = [row for row in rows.values() if "facenonface" in row.reason]
    assert len(without) == MEEN_WITH_FACES
    assert not any(row.runs for row in without) and rows["VGG19"].runs


def test_published_weights_are_given_left_out_or_asked_for(data, tmp_path):
    file = tmp_path / "a file.h5"
    file.touch()
    rows = planned("gan_3", data["rafdb"])
    assert "--vgg_face" in rows["Ours"].reason and not rows["Ours"].runs
    assert rows["Ours*"].runs and not rows["Ours*"].reason
    assert not rows["PG-CNN"].runs and not rows["PG-CNN"].reason
    rows = planned("gan_3", data["rafdb"], published={"vgg_face": str(file)})
    (run,) = rows["Ours"].all_runs
    assert run.load().published.path == str(file)
    assert f"'--config.published.path={file}'" in run.command
    rows = planned("gan_3", data["rafdb"], from_scratch=True)
    assert rows["Ours"].all_runs[0].load().published.format == ""
    assert "from scratch here" in rows["Ours"].note and not rows["Ours*"].note
    # It is then the starred row, and is not trained twice.
    assert rows["Ours"].all_runs == rows["Ours*"].all_runs


def test_a_budget_in_epochs_keeps_the_papers_proportions(data):
    (run,) = planned("zhang_1", data["affwild2"], epochs=6)["ResNext-50"].all_runs
    assert [stage.epochs for stage in run.load().stages] == [4, 2]
    (run,) = planned("gan_3", data["rafdb"], epochs=4)["Ours*"].all_runs
    stages = run.load().stages
    assert [(s.epochs, s.steps) for s in stages] == [(2, 0), (2, 0)]
    assert [s.name for s in stages] == ["rasnet", "ersnet"]


@pytest.fixture
def by_rule(tmp_path):
    """FER+ as the rows of its table need it, two of them the same folder."""
    options = {row.prepared: None for row in TABLES["ferplus_1"].rows}
    for n, text in enumerate(options):
        layout = f"folders, {', '.join(text.split(','))}, without 2 training rows"
        options[text] = folder(tmp_path / "rules" / f"{n}", "ferplus", ["fear"], layout)
    return options


def test_each_row_of_ferplus_has_the_folder_of_its_rule(by_rule, tmp_path):
    rows = planned("ferplus_1", str(tmp_path / "rules"), seeds=1)
    for row in rows.values():
        (run,) = row.all_runs
        assert run.data == by_rule[row.row.prepared]
    assert len(by_rule) == 3
    rows = planned("ferplus_1", by_rule["rule=majority"])
    assert rows["Majority voting"].runs
    reason = "needs one folder prepared with --options=rule=probability,scored=majority"
    assert reason in rows["Cross-entropy loss"].reason


def test_smoke_is_narrow_and_short_for_every_row_of_every_table(data, by_rule):
    every = ",".join([*data.values(), *by_rule.values()])
    for name, table in TABLES.items():
        if table.folds:
            continue
        for row in planned(name, every, scale="smoke").values():
            assert bool(row.runs) == bool(row.row.configs)
            for run in row.all_runs:
                config = run.load()
                assert config.model.arguments.width == plan.SMOKE_WIDTH
                assert config.batch_size <= 16 and not config.published.format
                assert not (config.sampling.name == "all" and config.sampling.limit)
                assert all(s.steps == plan.SMOKE_STEPS for s in config.stages)


def test_tables_share_the_runs_that_are_the_same(data):
    runs = {}
    for name in ("wang_2", "wang_3", "wang_4", "wang_5", "wang_6"):
        for row in planned(name, data["rafdb"]).values():
            for run in row.all_runs:
                runs.setdefault(run.path, []).append((name, run))
    shared = runs["work/runs/wang_two_att_two_mt_seed0"]
    assert [name for name, _ in shared] == [
        "wang_2",
        "wang_3",
        "wang_4",
        "wang_5",
        "wang_6",
    ]
    assert len({run.command for _, run in shared}) == 1


@pytest.mark.parametrize(
    "choices",
    [
        dict(scale="smoke"),
        dict(epochs=3, from_scratch=True),
        dict(overrides={"model.arguments.input_shape": "(96, 96, 3)", "jit_compile":
                        "false", "deterministic": "True", "ema_decay": "0.5",
                        "augment.flip": "true"}, from_scratch=True),
    ],
)  # fmt: skip
def test_a_runs_config_is_what_its_command_makes_of_it(choices, data, monkeypatch):
    for run in planned("gan_3", data["rafdb"], **choices)["Ours"].all_runs:
        argv = ["train", *run.arguments]
        monkeypatch.setattr("sys.argv", argv)
        values = flags.FlagValues()
        config_flags.DEFINE_config_file("config", flag_values=values)
        for name in ("data", "workdir"):
            flags.DEFINE_string(name, None, "", flag_values=values)
        values(argv)
        assert values.config.to_json() == run.load().to_json()


@pytest.mark.parametrize(
    "key, text", [("typo", "1"), ("stages[7].epochs", "1"), ("batch_size", "many"),
                  ("deterministic", "perhaps")],
)  # fmt: skip
def test_an_override_that_fits_nothing_is_refused(key, text, data):
    with pytest.raises(ValueError, match=key.split(".")[0].split("[")[0]):
        planned("wang_1", data["rafdb"], overrides={key: text})


def test_a_run_of_another_config_is_refused_before_anything_is_trained(
    synthetic_data, tmp_path
):
    table = TABLES["wang_5"]
    sources = plan.find_sources(synthetic_data, table)

    def runs(**choices):
        choices = Choices(str(tmp_path), scale="smoke", **choices)
        rows = plan.plan(table, table.rows, sources, choices)
        return [run for row in rows for run in row.all_runs]

    prepared = pipeline.open_prepared(synthetic_data)
    # The second row's, begun as it is.
    workdir.begin(runs()[1].path, runs()[1].load(), prepared)
    table_runs.check(runs())
    with pytest.raises(ValueError, match="begun with another config"):
        table_runs.check(runs(epochs=2))
    # A run keeps the policy that "auto" was when it began.
    auto = runs(overrides={"dtype_policy": "auto"})
    settled = auto[0].load()
    settled.dtype_policy = "mixed_bfloat16"
    workdir.begin(auto[0].path, settled, prepared)
    table_runs.check(auto[:1])


def test_an_override_of_the_last_stage_finds_it_in_each_row(data):
    changes = {"stages[0].learning_rate": "0.1", "stages[-1].learning_rate": "0.2"}
    rows = planned("gan_3", data["rafdb"], from_scratch=True, overrides=changes)
    rates = lambda name: [
        stage.learning_rate for stage in rows[name].runs[0][0][0].load().stages
    ]
    assert rates("VGG+SE*") == [0.2] and rates("Ours*") == [0.1, 0.2]
    # The command, too, says it by a number that flags know.
    (run,) = rows["Ours*"].runs[0][0]
    assert "stages[1].learning_rate=0.2" in run.command


def test_a_file_of_published_weights_is_looked_for_before_anything_is_trained(data):
    with pytest.raises(UsageError, match="--vggface2: /absent.h5: no such file"):
        planned("zhang_1", data["affwild2"], published={"vggface2": "/absent.h5"})


def test_an_argument_that_a_row_lacks_is_refused_and_the_face_network_takes_its_own(
    data,
):
    with pytest.raises(UsageError, match="gan_vgg16_se has no argument 'fc_activation"):
        overrides = {"model.arguments.fc_activation": "relu"}
        planned("gan_3", data["rafdb"], overrides=overrides, from_scratch=True)
    overrides = {"model.arguments.combine": "add", "model.arguments.width": "0.5"}
    sources = f"{data['fer2013']},{data['facenonface']}"
    table = TABLES["meen_1"]
    (row,) = plan.plan(
        table,
        [row for row in table.rows if row.name == "Model 1: All features"],
        plan.find_sources(sources, table),
        Choices("work", overrides=overrides),
    )
    (face,), ((((main,),),)) = row.before, row.runs
    assert face.changes["model.arguments.width"] == "0.5"
    assert "model.arguments.combine" not in face.changes
    assert main.changes["model.arguments.combine"] == "add"
