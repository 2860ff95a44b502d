"""Files that pip installed, found without running their packages, and checked before use."""

import functools
import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple


class PackagedFile(NamedTuple):
    """A file inside an installed distribution, with the hash its bytes must have."""

    distribution: str
    version: str
    path: str
    sha256: str


class DamagedFileError(RuntimeError):
    """A file's bytes are not the ones this project was made with."""


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal digits, reading it once a process."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


def is_installed(file: PackagedFile) -> bool:
    """Say whether a packaged file is there, in whatever version and state."""
    return _find(file) is not None


def packaged_path(file: PackagedFile) -> Path:
    """Find a packaged file and check its bytes; none of its package's code is run.

    Args:
        file: Which file of which distribution, and its hash.

    Returns:
        The verified file's path.

    Raises:
        FileNotFoundError: The distribution or the file is not installed.
        DamagedFileError: The file's hash is another one.
    """
    remedy = (
        f"reinstall it: pip install --force-reinstall --no-deps {file.distribution}=={file.version}"
    )
    path = _find(file)
    if path is None:
        raise FileNotFoundError(
            f"{file.path} of the package {file.distribution} is missing: {remedy}"
        )
    found = file_sha256(path)
    if found != file.sha256:
        version = distribution(file.distribution).version
        if version != file.version:
            raise DamagedFileError(
                f"the package {file.distribution} is installed in version {version}, "
                f"expected {file.version}: {remedy}"
            )
        raise DamagedFileError(
            f"{file.path} of the package {file.distribution} has SHA-256 {found[:12]}…, "
            f"expected {file.sha256[:12]}…: {remedy}"
        )
    return path


def _find(file: PackagedFile) -> Path | None:
    try:
        path = Path(str(distribution(file.distribution).locate_file(file.path)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None
