"""The home: the one folder that holds all state, with its layout version inside."""

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import NoHome, WrongLayout

LAYOUT_VERSION = 3
MARKER = "braindino-home.json"
FOLDERS = ("slices", "warehouse", "snapshots", "checkpoints", "reports")

# Delta's object store or DuckDB's file patterns give these a meaning of their own.
UNUSABLE = "%*?[]"


def write_if_absent(path: Path, text: str) -> bool:
    """Writes a whole file under a name nobody has taken yet: readers see all of it or nothing.

    Returns:
        False if the name was taken; the file that has it is left as it is.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    partial.write_text(text, encoding="utf-8")
    try:
        os.link(partial, path)  # unlike a rename, a hard link never replaces what is there
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    return True


def is_home(root: Path) -> bool:
    """Whether a home was made in this folder."""
    try:
        return (root / MARKER).is_file()
    except OSError:  # a file on the way, or a folder that may not be looked into
        return False


@dataclass(frozen=True)
class Home:
    """The folders of one home.

        braindino-home.json                  layout version
        slices/<recipe_id>/<dataset>/...     slice stores
        warehouse/<table>/                   one Delta table each
        snapshots/s0001.json ...             versions pinned together
        checkpoints/<training_id>/           pretraining
        reports/

    `Home(root)` only names them; `Home.open(root)` checks the layout and makes what is missing.
    """

    root: Path

    @classmethod
    def open(cls, root: str | Path, create: bool = True) -> "Home":
        """The home at `root`, created if there is none.

        Raises:
            NoHome: there is none, and `create` is False; nothing is made then.
            WrongLayout: the path is a file, cannot be made, has characters the store's libraries cannot read,
                or holds a home of another layout version.
        """
        home = cls(Path(root).expanduser().resolve())
        if set(str(home.root)) & set(UNUSABLE):
            raise WrongLayout(
                f"The home {home.root} cannot be used: its path has one of {' '.join(UNUSABLE)}; choose another folder."
            )
        if not create and not is_home(home.root):
            raise NoHome(
                f"There is no home at {home.root}: `braindino ingest DATASET ROOT` makes one. "
                "If you meant another folder, name it by --home or BRAINDINO_HOME."
            )
        if not home._is_complete():
            home._create()
        home._check_layout()
        return home

    @property
    def slices(self) -> Path:
        """The slice stores."""
        return self.root / "slices"

    @property
    def warehouse(self) -> Path:
        """The event tables."""
        return self.root / "warehouse"

    @property
    def snapshots(self) -> Path:
        """The snapshots' manifests."""
        return self.root / "snapshots"

    @property
    def checkpoints(self) -> Path:
        """Trainings' checkpoints."""
        return self.root / "checkpoints"

    @property
    def reports(self) -> Path:
        """Reports."""
        return self.root / "reports"

    def _is_complete(self) -> bool:
        try:
            return (self.root / MARKER).is_file() and all((self.root / name).is_dir() for name in FOLDERS)
        except OSError as error:
            raise WrongLayout(
                f"The home {self.root} cannot be used ({error.strerror}); choose another folder."
            ) from error

    def _create(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not (self.root / MARKER).exists():
                write_if_absent(self.root / MARKER, json.dumps({"layout_version": LAYOUT_VERSION}) + "\n")
            self._check_layout()  # before anything is put beside a layout that is not ours
            for name in FOLDERS:
                (self.root / name).mkdir(exist_ok=True)
        except OSError as error:
            raise WrongLayout(
                f"The home {self.root} cannot be made ({error.strerror}); choose a folder you may write to with --home."
            ) from error

    def _check_layout(self) -> None:
        path = self.root / MARKER
        try:
            version = json.loads(path.read_text(encoding="utf-8"))["layout_version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WrongLayout(
                f"{path} cannot be read as a home's marker; restore it or choose another home."
            ) from error
        if version != LAYOUT_VERSION:
            raise WrongLayout(
                f"The home {self.root} has layout version {version}, this program reads {LAYOUT_VERSION}; "
                "use the BrainDINO release that wrote it, or another home."
            )
