"""Reviews in a csv, json or parquet file: every row as it stands, or refused by its number."""

import csv
import gzip
import io
import json
import reprlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from imdb_tutorial.dataset.rows import COLUMNS, Row, place, require_columns, to_dataset
from imdb_tutorial.machine.text import clean_text, one_line

JSON_EXAMPLE = '{"text": "A good film.", "label": 1}'
LIST = "a list of objects"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def load_file(path: Path) -> datasets.Dataset:
    """Read a file of labelled reviews, in its order and with its duplicates.

    Args:
        path: A csv (also as csv.gz), tsv, json, jsonl or parquet file with ``text`` and ``label``,
            and ``group`` where reviews belong together; all but the last in UTF-8.

    Returns:
        The columns ``text``, ``label`` (0 negative, 1 positive) and ``id``, which is the file's
        name and the row's number from 0; and ``group`` where the file has it.

    Raises:
        ValueError: A file of another kind, or one that cannot be read; the message names the row.
        FileNotFoundError: A missing file.
    """
    ending = _ending(path)
    read = _READERS.get(ending)
    if read is None:
        raise ValueError(f"cannot read {path}: expected a file ending in {', '.join(_READERS)}")
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: give reviews= an existing {ending} file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {path} ({error.strerror}): make it readable") from None
    if not content:
        raise ValueError(f"{path} is empty: expected the columns text and label")
    stem = path.name[: -len(ending)]
    split = to_dataset(read(content, path), path, clean_text(stem))
    if len(split) == 0:
        raise ValueError(f"{path} holds no reviews: expected at least one row")
    return split


def is_review_file(path: Path) -> bool:
    """Say whether a name ends like a file that ``load_file`` reads."""
    return _ending(path) in _READERS


def _ending(path: Path) -> str:
    """Return a name's ending in lower case, both of ``.csv.gz``."""
    last = path.suffix.lower()
    return "".join(path.suffixes[-2:]).lower() if last == ".gz" else last


def _read_csv_gz(content: bytes, path: Path) -> Iterator[Row]:
    try:
        unpacked = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"cannot unpack {path} ({one_line(error)}): download or pack it again, or give the "
            "csv itself"
        ) from None
    if not unpacked:
        raise ValueError(f"{path} is empty: expected the columns text and label")
    return _read_csv(unpacked, path)


def _read_tsv(content: bytes, path: Path) -> Iterator[Row]:
    return _read_csv(content, path, "\t")


def _read_csv(content: bytes, path: Path, delimiter: str = ",") -> Iterator[Row]:
    lines = _csv_lines(_decode(content, path), path, delimiter)
    _, header = next(lines, (1, []))
    _require_no_mark(path, header)
    require_columns(path, header)
    _require_plain_group(path, header)
    separators = "tabs" if delimiter == "\t" else "commas"
    for row, (line, fields) in enumerate(lines):
        if len(fields) != len(header):
            raise ValueError(
                f"{place(path, row, line)} does not fit the header: expected {len(header)} fields, "
                f"found {len(fields)}; put a text that contains {separators} in double quotes"
            )
        yield Row(
            fields[header.index("text")],
            fields[header.index("label")],
            line,
            fields[header.index("group")] if "group" in header else None,
        )


def _csv_lines(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and the row's fields; the header is a row too."""
    # The limit is there against runaway quotes, which strict reading finds as well.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(
                f"cannot read the row that begins on line {line} of {path} ({error}): close every "
                "quoted text with a double quote, and write a double quote inside it twice"
            ) from None
        if fields:  # a blank line has none
            yield line, fields


def _read_jsonl(content: bytes, path: Path) -> Iterator[Row]:
    return _json_rows(_json_lines(_decode(content, path), path), path, "one object a line")


def _read_json(content: bytes, path: Path) -> Iterator[Row]:
    """Read a list of objects; some tools give this ending to objects that stand one a line."""
    text = _decode(content, path)
    if not text.lstrip().startswith("["):
        return _json_rows(_json_lines(text, path), path, LIST)
    try:
        reviews = json.loads(text, object_pairs_hook=_without_repeated_keys)
    except (ValueError, RecursionError) as error:
        line = f"line {error.lineno} of " if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(
            f"{line}{path} is no JSON ({getattr(error, 'msg', error)}): expected {LIST}, such as "
            f"[{JSON_EXAMPLE}]"
        ) from None
    return _json_rows(((None, review) for review in reviews), path, LIST)


def _json_lines(text: str, path: Path) -> Iterator[tuple[int, object]]:
    lines = enumerate(io.StringIO(text, newline=""), start=1)
    filled = ((line, text) for line, text in lines if text.strip())
    for row, (line, text) in enumerate(filled):
        try:
            yield line, json.loads(text, object_pairs_hook=_without_repeated_keys)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{place(path, row, line)} is no JSON ({getattr(error, 'msg', error)}): expected "
                f"one object a line, such as {JSON_EXAMPLE}"
            ) from None


def _json_rows(
    reviews: Iterable[tuple[int | None, object]], path: Path, expected: str
) -> Iterator[Row]:
    has_group = None
    for row, (line, review) in enumerate(reviews):
        where = place(path, row, line)
        if not isinstance(review, dict):
            raise ValueError(
                f"{where} is a JSON {type(review).__name__}: expected {expected}, such as "
                f"{JSON_EXAMPLE}"
            )
        require_columns(where, list(review))
        _require_plain_group(where, list(review))
        if has_group is None:
            has_group = "group" in review
        if has_group != ("group" in review):
            raise ValueError(
                f"{where}: some reviews have a group and others none: name all or none"
            )
        group = review.get("group")
        yield Row(
            review["text"], review["label"], line, "" if group is None and has_group else group
        )


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    for key in COLUMNS:
        if keys.count(key) > 1:
            raise ValueError(f"the key {key!r} comes twice")
    return dict(pairs)


def _read_parquet(content: bytes, path: Path) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(_no_parquet(path, error)) from None
    require_columns(path, names)
    _require_plain_group(path, names)
    try:
        wanted = [name for name in COLUMNS if name in names]
        table = file.read(columns=wanted).combine_chunks()
        table.validate(full=True)  # names the first string that is not UTF-8
        columns = [table[name].to_pylist() for name in wanted]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(_no_parquet(path, error)) from None
    for text, label, *group in zip(*columns, strict=True):
        yield Row(text, label, None, *("" if name is None else name for name in group))


def _require_plain_group(source: object, found: Sequence[str]) -> None:
    """Refuse " group" and "Group": taken for another column, groups would be torn unnoticed."""
    meant = [name for name in found if name.strip().lower() == "group" != name]
    if meant and "group" not in found:
        raise ValueError(
            f"{source} has the column {reprlib.repr(meant[0])}: call it group, so that reviews of "
            "one group stay together, or give it another name"
        )


def _no_parquet(path: Path, error: Exception) -> str:
    reason = " ".join(str(error).split())
    return f"cannot read {path} as parquet ({reason}): write it again, or save the reviews as csv"


def _require_no_mark(path: Path, header: Sequence[str]) -> None:
    if any("\ufeff" in name for name in header):
        raise ValueError(
            f"the header of {path} holds a byte order mark (BOM) that does not belong there, as of "
            "a file that was joined to another: save it as UTF-8 without BOM"
        )


def _decode(content: bytes, path: Path) -> str:
    if content.startswith(UTF_16):
        raise ValueError(
            f"line 1 of {path} is not UTF-8, it begins with the byte order mark (BOM) of UTF-16: "
            "save the file as UTF-8, which spreadsheets offer as 'CSV UTF-8'"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} of {path} is not UTF-8 ({error.reason}{_as_windows(content, error)}): "
            "save the file as UTF-8, which spreadsheets offer as 'CSV UTF-8'"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(
            f"line {line} of {path} holds a NUL byte, as binary files and UTF-16 do: save the "
            "reviews as plain text in UTF-8"
        )
    return text


def _as_windows(content: bytes, error: UnicodeDecodeError) -> str:
    """Say what the bytes mean in the encoding that Windows used to write, if it has them."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    words = content[max(0, error.start - 8) : error.start + 8].decode("cp1252").split("\n")
    near = max(words, key=lambda part: sum(ord(char) > 127 for char in part)).strip()
    return f"; it looks like cp1252, in which it reads {near!r}"


_READERS = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".jsonl": _read_jsonl,
    ".csv.gz": _read_csv_gz,
    ".tsv": _read_tsv,
    ".json": _read_json,
}
