import pytest

from trainers.speed import growth


def test_the_slope_is_the_exponent_of_the_size():
    sizes = (10, 20, 40, 80)
    cubic = [2e-3 * size**3 for size in sizes]
    assert growth.slope(sizes, cubic) == pytest.approx(3)
    # A constant part makes it smaller: from 11 to 90 seconds for 8 times the size.
    assert 0.9 < growth.slope(sizes, [1 + size for size in sizes]) < 1


def test_each_size_is_timed_in_turns_after_a_first_call(monkeypatch):
    calls, now = [], [0.0]
    monkeypatch.setattr(growth.time, "perf_counter", lambda: now[0])

    def run(name, seconds):
        calls.append(name)
        # The first call of each costs more, as a traced graph does.
        now[0] += seconds if calls.count(name) > 1 else 100

    runs = [lambda: run("small", 1), lambda: run("large", 3)]
    assert growth._times(runs, 10) == [1, 3]
    assert calls == ["small", "large"] * 4  # 12 seconds after the first calls.


@pytest.mark.slow
def test_every_job_takes_longer_for_more(monkeypatch):
    for name in ("_SIDES", "_ROWS", "_FACES", "_BATCHES"):
        monkeypatch.setattr(growth, name, (16, 160))
    jobs = growth.measure(seconds=0)["jobs"]
    assert [jobs[job]["of"] for job in jobs] == [
        "pixels", "rows", "faces", "images of a batch"
    ]  # fmt: skip
    assert jobs["detect"]["sizes"] == [256, 25600]
    for job in ("prepare", "predict", "train"):
        assert jobs[job]["slope"] > 0, job
