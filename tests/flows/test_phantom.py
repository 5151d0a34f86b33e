"""`braindino phantom`: what it writes can be ingested with the command it names."""

import shlex
from pathlib import Path

import pytest

from braindino import phantom
from braindino.datasets import ADAPTERS
from braindino.errors import ConfigError
from flows.phantom import write_phantom
from flows.survey import survey
from tests.flows.test_cli import braindino


@pytest.mark.parametrize("layout", ["ixi", "manifest", "atlas_v2"])
def test_the_next_command_finds_every_scan_that_was_written(layout: str, tmp_path: Path, home: Path) -> None:
    told, following = write_phantom(layout, tmp_path / "my cohort", 2, seed=3, spacing=8.0)
    assert told.startswith("SYNTHETIC: ")
    assert str(tmp_path / "my cohort") in told
    command = shlex.split(following.removeprefix("next: "))
    assert command[:2] == ["braindino", "ingest"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    found, todo, _, called = survey(home, command[2], Path(command[3]), options.get("--name"), options["--recipe"])
    assert len(todo.read) == len(found.scans) == int(told.split()[1])
    assert called == options.get("--name", Path(command[3]).stem)


def test_every_layout_is_read_by_an_adapter() -> None:
    assert {layout.removesuffix("_v2") for layout in phantom.LAYOUTS} == set(ADAPTERS)


def test_an_unknown_layout_lists_those_there_are(tmp_path: Path, home: Path) -> None:
    answer = braindino("phantom", "ixy", str(tmp_path / "x"), home=home)
    assert answer.returncode == 1
    assert all(layout in answer.stderr for layout in phantom.LAYOUTS)
    assert answer.stderr.count("error: ") == 1
    assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, home: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    answer = braindino("phantom", "ixi", str(tmp_path), home=home)
    assert (answer.returncode, "not empty" in answer.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if path != home] == ["mine.txt"]


def test_a_neighbour_called_partial_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "d.partial").mkdir()
    (tmp_path / "d.partial" / "mine.txt").write_text("precious")
    write_phantom("ixi", tmp_path / "d", 1, seed=0, spacing=8.0)
    assert (tmp_path / "d.partial" / "mine.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.partial"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_phantom("ixi", tmp_path / "file" / "d", 1, seed=0, spacing=8.0)
