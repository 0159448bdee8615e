import shlex

from trainers.publishing import kept_results


def test_a_long_command_is_wrapped_between_its_words():
    command = "python -m trainers.train '--config.stages[0].epochs=5' " + " ".join(
        f"--config.key{number}='a (b)'" for number in range(20)
    )
    text = kept_results.command_block("It:", command)
    block = text.removeprefix("It:\n\n```bash\n").removesuffix("\n```")
    assert max(map(len, block.split("\n"))) <= 100
    assert shlex.split(block.replace("\\\n", "")) == shlex.split(command)
