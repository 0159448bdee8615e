"""A table of a paper, as `trainers.reproduce` writes it."""


def drawn_table(**changes):
    entry = dict(
        row="Ours", protocol="clean", paper=dict(accuracy=0.5, nll=0.714),
        ours=dict(accuracy=0.25, nll=0.5), intervals=dict(accuracy=[0.2, 0.3]),
        std=dict(accuracy=0.01, nll=0.02), seeds=3, epochs=4.0, num_examples=40,
        split_sizes=dict(train=1000, test=500), split_hash="a", configs=["ours"],
        command="train --config=configs/ours.py",
        commands=["train --workdir=w/runs/ours_seed0"],
    )  # fmt: skip
    unmeasured = dict(entry, row="Theirs", ours={}, protocol=None)
    return dict(
        table="wang_1", title="T", scale="full",
        dataset="synthetic", paper_dataset="affectnet", percent=False,
        changed={"epochs": "4"}, machine="2 cores", note="a note",
        command="python -m trainers.reproduce", rows=[entry, unmeasured], **changes,
    )  # fmt: skip
