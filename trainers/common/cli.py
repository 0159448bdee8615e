"""What every command shares: flags, exit codes, one-line error messages.

Exit 0 on success and for `--help`, 2 on bad arguments, 1 otherwise; ended by a signal
other than Ctrl-C, 128 and its number. Commands import Keras and TensorFlow inside
`main`, so that `--help` answers at once.
"""

import atexit
import contextlib
import functools
import gc
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool

from absl import app, flags, logging

from fer_tf.utils import collector, stderr
from fer_tf.utils.names import one_line
from trainers.common import terminal

__all__ = [
    "UsageError",
    "explain",
    "fail",
    "fail_if_any",
    "quiet_imports",
    "require_no_folder",
    "run",
]

_TRACEBACK = flags.DEFINE_bool(
    "traceback", False, "Print the whole traceback of an error, not one line."
)


# Characters of an error message. One path may have 4,096, and more when escaped.
_LONGEST = 5_000


class UsageError(ValueError):
    """A value that a flag or a config cannot have."""

    exit_code = 2


def run(
    main: Callable[..., None],
    *,
    required: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
) -> None:
    """Runs a command.

    Args:
        main: Called with the arguments that are no flags, once the flags are parsed.
        required: Names of flags that must be given.
        takes: What the arguments that are no flags are, one word each.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Python looks for garbage several times while it ends: a second with TensorFlow.
    atexit.register(gc.freeze)
    _open_closed_streams()
    warnings.formatwarning = lambda message, *_, **__: f"{_complaint(message)}\n"
    logging.set_verbosity(logging.WARNING)
    # A file's name need not be valid text. stderr escapes it by itself.
    if hasattr(sys.stdout, "reconfigure"):  # A notebook's has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout = terminal.Output(stdout := sys.stdout)
    try:
        try:
            parse = functools.partial(_parse, required=required, takes=takes)
            app.run(lambda argv: _guarded(main, *argv[1:]), flags_parser=parse)
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Otherwise Python would fail once more when it flushes the buffer at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        # A reader that has gone, as in `--help | head -1`, is no error.
        if not isinstance(error, BrokenPipeError):
            fail(_one_line(error))
        sys.exit(1)
    finally:
        sys.stdout = stdout


@contextlib.contextmanager
def quiet_imports():
    """Hides TensorFlow's start-up notices, unless an error is raised.

    What is imported within the block is kept from the garbage collector.
    """
    with collector.keeping(), stderr.quiet_imports():
        yield


def _open_closed_streams():
    """Opens closed standard streams (`2>&-`) on the null device.

    Python sets such a stream to None, and the next file that is opened would get its
    number: TensorFlow's notices would go into that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, "w" if number else "r", encoding="utf-8")
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def fail(message: str, *, code: int = 1) -> None:
    """Prints one line on stderr and exits."""
    _complain(message)
    sys.exit(code)


def require_no_folder(flag: flags.FlagHolder) -> None:
    """Exits if a flag that names a file to write names a folder."""
    if flag.value and os.path.isdir(flag.value):
        fail(f"--{flag.name}: {flag.value} is a folder", code=2)


def fail_if_any(failures: Sequence[str]) -> None:
    """Exits if there is a failure: prints the first and the number of the others."""
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        fail(f"{failures[0]}{more}")


def _complain(message):
    print(_complaint(message), file=sys.stderr, flush=True)


def _complaint(message):
    line = one_line(f"{_command()}: {message}")
    # A number in a file from elsewhere can have a million digits.
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _parse(argv, required, takes):
    if any(arg in ("-h", "-help", "--help", "--helpfull") for arg in argv[1:]):
        module = sys.modules["__main__"]
        print((module.__doc__ or "").strip(), end="\n\n")
        if needed := [*takes, *(f"--{name}" for name in required)]:
            print(f"Needed: {', '.join(needed)}")
        print(flags.FLAGS.module_help(module))
        sys.exit(0)
    try:
        rest = flags.FLAGS(argv)
    except (flags.Error, LookupError, AttributeError, TypeError, OSError) as error:
        # ml_collections raises all but the first for a config without such a key.
        fail(_one_line(error), code=2)
    except (SyntaxError, ImportError) as error:
        fail(f"the config cannot be read: {_one_line(error)}", code=2)
    for name in required:
        if not flags.FLAGS[name].present:
            fail(f"--{name} is needed", code=2)
        if flags.FLAGS[name].value == "":
            fail(f"--{name} is empty", code=2)
    for flag in flags.FLAGS.get_flags_for_module(sys.modules["__main__"]):
        if isinstance(flag.value, str) and flag.value.startswith("~"):
            flag.value = os.path.expanduser(flag.value)
    given = rest[1:]
    if len(given) > len(takes):
        fail(f"unexpected argument {given[len(takes)]!r}", code=2)
    if len(given) < len(takes):
        fail(f"needs {' and '.join(takes)}, {len(given)} given", code=2)
    return rest


@contextlib.contextmanager
def ended_by_signals():
    """Turns signals that end a process into SystemExit, so that it cleans up."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    before = [
        signal.signal(number, lambda number, _: sys.exit(128 + number))
        for number in numbers
    ]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


def _guarded(main, *arguments):
    interrupted = []

    def interrupt(*_):
        interrupted.append(True)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        with ended_by_signals():
            main(*arguments)
    except KeyboardInterrupt:
        fail("interrupted")
    except Exception as error:
        if isinstance(error, OSError) and error.filename == terminal.STDOUT:
            raise
        if interrupted:  # While it traces, TensorFlow raises another error instead.
            fail("interrupted")
        explain(error)
        sys.exit(getattr(error, "exit_code", 1))


def explain(error: Exception) -> None:
    """Prints an error: one line, or the traceback if it is a bug of this package."""
    # Errors of the input and of the machine are one line. Anything else is a bug, whose
    # report needs the traceback.
    expected = isinstance(error, (ValueError, OSError, ArithmeticError))
    expected = expected or isinstance(error, BrokenProcessPool)
    foreign = type(error).__module__.partition(".")[0] in ("tensorflow", "cv2")
    if _TRACEBACK.value or not (expected or foreign):
        traceback.print_exception(error)
    else:
        _complain(_one_line(error))


_NODE = re.compile(r"^(\{\{(function_)?node [^}]*\}\}\s*)+")
_ERROR = re.compile(r"^(\w+\.)*\w*Error: ")
# TensorFlow puts this before an error in the making of batches.
_BATCHES = re.compile(r"^Error in user-defined function passed to .*?: Iterator\S*: ")


def _one_line(error):
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or ''}: {error.strerror}".lstrip(": ")
    text = _NODE.sub("", str(error).strip()) or type(error).__name__
    # Not `splitlines`: a file's name may hold the other ends of lines.
    lines = text.split("\n")
    if lines[0] == "in user code:":  # TensorFlow's, around an error of ours.
        lines = [_ERROR.sub("", lines[-1].strip())]
    line, batches = _BATCHES.subn("", " ".join(lines[0].split()))
    if batches:  # `Prepared.files` has checked files and labels before.
        hint = "trainers.verify --data=DIR says which"
        return f"a picture of the data is damaged ({line.rstrip('.')}); {hint}"
    return line


def _command():
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else os.path.basename(sys.argv[0])
