"""Where the home is, and the settings that Prefect needs before it is first imported."""

import atexit
import os
import signal
import sys
from pathlib import Path

DEFAULT_HOME = "data"


def resolve_home(home: str | Path | None) -> Path:
    """The home folder: the argument, else `BRAINDINO_HOME`, else `./data`; always absolute."""
    return Path(home or os.environ.get("BRAINDINO_HOME") or DEFAULT_HOME).expanduser().resolve()


def quiet_prefect() -> None:
    """Sets Prefect's defaults for a command line: no telemetry, no log lines. What the user has set stays."""
    for name, value in {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # The command line says itself, in one sentence, what went wrong; Prefect would add a traceback.
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
        # Its own server starts in seconds, but not on a machine whose cores are all taken.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }.items():
        os.environ.setdefault(name, value)


def existing_home(home: str | Path | None) -> Path:
    """As `resolve_home`, for verbs that make no home: to start Prefect and torch first would take seconds.

    Raises:
        NoHome: there is none.
    """
    import warehouse

    return warehouse.open(resolve_home(home), create=False).home.root


def start_server() -> None:
    """Starts Prefect's own server for this command, unless PREFECT_API_URL names one; flows then find it.

    A terminal sends Ctrl-C to all processes of a command. This one's server is deaf to it: if it ended first, Prefect
    would ask it in vain for minutes. It ends with the command.
    """
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which a child inherits
    try:
        SubprocessASGIServer().start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def job_id() -> str:
    """The id that stands beside every row this run writes: the Prefect flow run's, or `local` outside of one."""
    if "prefect" not in sys.modules:  # no flow runs, and to import Prefect takes seconds
        return "local"
    from prefect.context import get_run_context
    from prefect.exceptions import MissingContextError

    try:
        context = get_run_context()
    except MissingContextError:
        return "local"
    run = getattr(context, "flow_run", None) or getattr(context, "task_run", None)
    if run is None:
        return "local"
    return str(getattr(run, "flow_run_id", None) or run.id)


def use_all_cores() -> None:
    """Lets torch use every core: training and embedding are one process each, unlike the workers of an ingest."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)


def silence_exit() -> None:
    """Closes stderr for the interpreter's very end; call it before anything else registers an exit function.

    DuckDB's binding then lists objects that Prefect's threads still hold, hundreds of lines that help nobody.
    """

    def close() -> None:
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.register(close)  # first in, last out
