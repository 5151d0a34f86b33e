"""Running a decoder in a process of its own: what it says, takes or breaks stays there."""

import os
import subprocess
import sys
from collections.abc import Sequence

if sys.platform == "linux":
    import resource

# A decoder that wants more was given a damaged file; the largest volume that is accepted fits three times over.
_LARGEST_MEMORY = 3 << 30


def run_apart(command: Sequence[str | os.PathLike[str]], seconds: float) -> int | None:
    """Runs a program without input and without anything it prints; None if it had to be ended after `seconds`.

    What decoders print may hold words of the files' headers, so nobody sees it.

    Raises:
        FileNotFoundError: there is no such program.
    """
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        [os.fspath(part) for part in command],
        stdin=silent,
        stdout=silent,
        stderr=silent,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"},
    )
    try:
        if sys.platform == "linux":  # elsewhere the system's own limits must do
            resource.prlimit(process.pid, resource.RLIMIT_AS, (_LARGEST_MEMORY, _LARGEST_MEMORY))
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    except ProcessLookupError:  # it was faster than the limit
        return process.wait(seconds)
    finally:
        process.kill()
        process.wait()
