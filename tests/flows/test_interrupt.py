"""An ingest that a person or a scheduler stops: it ends soon, in one sentence, and what it read is kept."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import warehouse
from tests.imaging.helpers import ellipsoid

BRAINDINO = Path(sys.executable).parent / "braindino"
SCANS = 40


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One synthetic brain under many names, as long to read as there is time to stop it."""
    folder = tmp_path_factory.mktemp("scans")
    brain = ellipsoid((180, 200, 180), (70, 80, 70), 1.0)
    noise = np.random.default_rng(0).integers(100, 1000, brain.shape)
    nib.save(nib.Nifti1Image(np.where(brain, noise, 0).astype(np.int16), np.eye(4)), folder / "0.nii")
    for number in range(1, SCANS):
        os.link(folder / "0.nii", folder / f"{number}.nii")
    rows = "".join(f"p{number},{number}.nii,T1w\n" for number in range(SCANS))
    (folder / "scans.csv").write_text(f"subject,image,contrast\n{rows}")
    return folder / "scans.csv"


def ctrl_c(run: subprocess.Popen[bytes], terminal: int) -> None:
    """As a terminal does: to every process of the command."""
    os.write(terminal, b"\x03")


def sigterm(run: subprocess.Popen[bytes], terminal: int) -> None:
    """As a scheduler does: to the command alone."""
    run.send_signal(signal.SIGTERM)


def read_to_the_end(terminal: int) -> str:
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # Linux ends a terminal so
        pass
    return shown.decode(errors="replace")


@pytest.mark.xdist_group("flows")
@pytest.mark.parametrize(("stop", "code"), [(ctrl_c, 130), (sigterm, 143)], ids=["ctrl-c", "sigterm"])
def test_a_stopped_ingest_ends_soon_and_keeps_what_it_read(
    stop: Callable[[subprocess.Popen[bytes], int], None], code: int, manifest: Path, home: Path
) -> None:
    terminal, inner = pty.openpty()
    command = [BRAINDINO, "ingest", "manifest", manifest, "--workers", "1"]
    environment = {**os.environ, "BRAINDINO_HOME": str(home)}
    run = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, env=environment, preexec_fn=lambda: _own_terminal(inner)
    )
    os.close(inner)
    while len(list(home.glob("slices/*/*/*"))) < 3 and run.poll() is None:
        time.sleep(0.05)
    assert run.poll() is None
    asked = time.monotonic()
    stop(run, terminal)
    shown = read_to_the_end(terminal)
    assert run.wait(timeout=60) == code
    assert time.monotonic() - asked < 60  # a lost server would be asked for two and a half minutes
    assert "interrupted; what was done so far is kept" in shown.replace("\r\n", " ").replace("\n", " ")
    assert "Traceback" not in shown
    stored = warehouse.open(home).query("select count(*) as n from scans where status = 'stored'").to_pylist()
    assert 2 <= stored[0]["n"] < SCANS


def _own_terminal(terminal: int) -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
