import os

from trainers import benchmarks

# Linux lists every processor so.
CPUINFO = """\
processor\t: 0
model name\t: A Processor 7:2
flags\t\t: fpu avx512_bf16 amx_bf16 sse

processor\t: 1
model name\t: A Processor 7:2
flags\t\t: fpu avx512_bf16 amx_bf16 sse
"""


def test_a_measurement_names_its_processor_where_linux_does(tmp_path):
    threads = f"CPU, {len(os.sched_getaffinity(0))} threads"
    path = tmp_path / "cpuinfo"
    assert benchmarks.processor(str(path)) == threads
    path.write_text(CPUINFO)
    named = f"{threads}, A Processor 7:2, amx_bf16, avx512_bf16"
    assert benchmarks.processor(str(path)) == named
    # An ARM processor has no model name there.
    path.write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert benchmarks.processor(str(path)) == threads
