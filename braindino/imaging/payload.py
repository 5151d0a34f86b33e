"""The bytes of a file, decompressed as they are read: never more of them than were asked for."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from isal import igzip, isal_zlib

from braindino.errors import Reason, ScanRefused

_GZIP = b"\x1f\x8b"
# The decompressor hands out what fits into a processor's cache about twice as fast as one large block.
_STEP = 1 << 20
# Deflate cannot make more of a byte than this (RFC 1951; zlib's technical notes).
_MOST_DEFLATED = 1032
# What may follow the voxels; a file that holds more than its header says is damaged, or meant to fill a disk.
_LARGEST_TAIL = 1 << 24


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what goes wrong while a file's bytes are read into one sentence.

    Raises:
        ScanRefused: `truncated`, `unreadable` or `missing_file`. The texts of other errors are not passed on: they
            may hold words of the file.
    """
    try:
        yield
    except EOFError as error:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} ends early; download it again.") from error
    except FileNotFoundError as error:
        text = f"The file {path.name} is not there; download it again or correct the dataset's root."
        raise ScanRefused(Reason.MISSING_FILE, text) from error
    except PermissionError as error:
        text = f"The file {path.name} may not be read; give this user the permission."
        raise ScanRefused(Reason.UNREADABLE, text) from error
    except (OSError, zlib.error, isal_zlib.error) as error:  # type: ignore[misc]  # the stub names an instance
        text = f"The bytes of {path.name} are damaged or cannot be read; download it again."
        raise ScanRefused(Reason.UNREADABLE, text) from error


@contextmanager
def open_payload(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file from the first, decompressed if it is gzip, whatever it is called; raises as `reading`."""
    with reading(path), path.open("rb") as raw:
        if raw.peek(2)[:2] == _GZIP:
            with igzip.open(raw, "rb") as stream:
                yield stream
        else:
            yield raw


def is_packed(path: Path) -> bool:
    """Whether a file is gzip by its first bytes; raises as `reading`."""
    with reading(path), path.open("rb") as raw:
        return raw.read(2) == _GZIP


def first_bytes(path: Path, count: int) -> bytes:
    """Up to `count` bytes of a file's beginning, decompressed; raises as `reading`."""
    with open_payload(path) as stream:
        return stream.read(count)


def all_bytes(path: Path, most: int) -> bytes:
    """A whole file, decompressed.

    Raises:
        ScanRefused: as `reading`; `unreadable`, if it holds more than `most` bytes.
    """
    with open_payload(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        text = f"{path.name} holds more than {most / 1e6:.0f} MB: no file of a scan does; leave it out."
        raise ScanRefused(Reason.UNREADABLE, text)
    return content


def check_length(path: Path, needed: int) -> None:
    """Refuses a file that cannot hold as many bytes as its header promises, before memory is taken for them.

    Raises:
        ScanRefused: `truncated`; and as `reading`.
    """
    size = path.stat().st_size
    if needed > (size * _MOST_DEFLATED if is_packed(path) else size):
        text = f"{path.name} holds fewer bytes than its header promises; download it again."
        raise ScanRefused(Reason.TRUNCATED, text)


def read_into(stream: BinaryIO, count: int, dtype: np.dtype) -> np.ndarray:
    """The next `count` numbers of a stream, 1-D.

    Raises:
        EOFError: there are fewer.
    """
    numbers = np.empty(count, dtype)
    target = memoryview(numbers.view(np.uint8).data)
    filled = 0
    while filled < len(target):
        got = stream.readinto(target[filled : filled + _STEP])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        filled += got
    return numbers


def check_tail(stream: BinaryIO, path: Path) -> None:
    """Reads what follows the voxels, so that a compressed file's checksum is compared.

    Raises:
        ScanRefused: `unreadable`, if much more follows than can be padding.
    """
    left = _LARGEST_TAIL
    while left > 0 and (passed := len(stream.read(_STEP))):
        left -= passed
    if left <= 0:
        text = f"{path.name} goes on long after the voxels that its header promises; download it again."
        raise ScanRefused(Reason.UNREADABLE, text)
