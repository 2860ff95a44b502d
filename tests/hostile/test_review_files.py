"""Odd files of reviews: each is read as it stands, or refused in one line that says where and why.

The tables hold a name, the file's bytes, and either the expected reviews or the words that the
error must contain. A row is named by its number from 0 and, in a text file, by the line on which
it begins.
"""

import csv
import datetime
import decimal
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial import load_preset, load_raw_reviews
from imdb_tutorial.__main__ import main
from imdb_tutorial.presets import PRESETS

GOOD, BAD = ("A good film.", 1), ("A bad film.", 0)
HEADER = b"text,label\n"
LINE = b'{"text": "A good film.", "label": 1}\n'


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def parquet_with_two(name):
    columns = {
        "text": pa.array(["A good film."]),
        "label": pa.array([1]),
        "group": pa.array(["Alien"]),
    }
    table = pa.Table.from_arrays([*columns.values(), columns[name]], names=[*columns, name])
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def parquet_with_a_text_that_is_no_utf8():
    offsets, letters = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")
    texts = pa.Array.from_buffers(pa.string(), 2, [None, offsets, letters])
    return parquet(text=texts, label=[1, 0])


PARQUET = parquet(text=["A good film.", "A bad film."], label=[1, 0])

READ = {
    "plain.csv": (HEADER + b"A good film.,1\nA bad film.,0\n", [GOOD, BAD]),
    "no newline at the end.csv": (HEADER + b"A good film.,1\nA bad film.,0", [GOOD, BAD]),
    "byte order mark.csv": (b"\xef\xbb\xbf" + HEADER + b"A good film.,1\n", [GOOD]),
    "byte order mark and quotes.csv": (b'\xef\xbb\xbf"text","label"\n"A good film.","1"\n', [GOOD]),
    "UPPER CASE.CSV": (HEADER + b"A good film.,1\n", [GOOD]),
    "windows lines.csv": (b"text,label\r\nA good film.,1\r\nA bad film.,0\r\n", [GOOD, BAD]),
    "old mac lines.csv": (b"text,label\rA good film.,1\rA bad film.,0\r", [GOOD, BAD]),
    "blank lines.csv": (b"\n" + HEADER + b"\n\nA good film.,1\n\n", [GOOD]),
    "comma in quotes.csv": (HEADER + b'"Bad, very bad",0\n', [("Bad, very bad", 0)]),
    "newline in quotes.csv": (HEADER + b'"Bad,\nvery bad",0\n', [("Bad,\nvery bad", 0)]),
    "windows newline in quotes.csv": (HEADER + b'"Bad,\r\nso bad",0\n', [("Bad,\r\nso bad", 0)]),
    "quotes in quotes.csv": (HEADER + b'"A ""good"" film",1\n', [('A "good" film', 1)]),
    "quotes inside.csv": (HEADER + b'A "good" film,1\n', [('A "good" film', 1)]),
    "spaces around.csv": (HEADER + b"  A good film.  , 1 \n", [("  A good film.  ", 1)]),
    "looks like nothing.csv": (
        HEADER + b"NA,0\nnull,1\nnan,0\nNone,1\n",
        [("NA", 0), ("null", 1), ("nan", 0), ("None", 1)],
    ),
    "looks like numbers.csv": (
        HEADER + b"10,1\n1e3,0\n007,0\n",
        [("10", 1), ("1e3", 0), ("007", 0)],
    ),
    "looks like a formula.csv": (HEADER + b"=1+1,1\n#N/A,0\n", [("=1+1", 1), ("#N/A", 0)]),
    "label words.csv": (HEADER + b'a,Positive\nb," neg "\nc,POS\n', [("a", 1), ("b", 0), ("c", 1)]),
    "boolean labels.csv": (HEADER + b"a,True\nb,false\n", [("a", 1), ("b", 0)]),
    "decimal labels.csv": (HEADER + b"a,1.0\nb,0.0\n", [("a", 1), ("b", 0)]),
    "other order.csv": (b"label,stars,text\n1,5,A good film.\n", [GOOD]),
    "an index that the header announces.csv": (b",text,label\n7,A good film.,1\n", [GOOD]),
    "other column twice.csv": (b"x,text,x,label\n1,A good film.,2,1\n", [GOOD]),
    "other scripts.csv": (
        HEADER + "好电影,1\nفيلم سيئ,0\nหนังดี,1\n😀,1\n".encode(),
        [("好电影", 1), ("فيلم سيئ", 0), ("หนังดี", 1), ("😀", 1)],
    ),
    "line separator.csv": (HEADER + "a\u2028b\x85c,1\n".encode(), [("a\u2028b\x85c", 1)]),
    "very long.csv": (HEADER + b"a" * 2_000_000 + b",1\n", [("a" * 2_000_000, 1)]),
    "twice.csv": (HEADER + b"A good film.,1\n" * 2, [GOOD, GOOD]),
    "both labels.csv": (HEADER + b"A good film.,1\nA good film.,0\n", [GOOD, (GOOD[0], 0)]),
    "plain.jsonl": (LINE, [GOOD]),
    "byte order mark.jsonl": (b"\xef\xbb\xbf" + LINE, [GOOD]),
    "windows lines.jsonl": (LINE.replace(b"\n", b"\r\n") * 2, [GOOD, GOOD]),
    "blank lines.jsonl": (b"\n \n" + LINE + b"\n" + LINE, [GOOD, GOOD]),
    "UPPER CASE.JSONL": (LINE, [GOOD]),
    "boolean labels.jsonl": (b'{"text": "a", "label": false}', [("a", 0)]),
    "whole pair.jsonl": (rb'{"text": "\ud83d\ude00", "label": 1}', [("😀", 1)]),
    "line separator.jsonl": ('{"text": "a\u2028b", "label": 1}'.encode(), [("a\u2028b", 1)]),
    "escaped newline.jsonl": (rb'{"text": "a\r\nb", "label": 1}', [("a\r\nb", 1)]),
    "other keys.jsonl": (b'{"id": {"text": 1}, "label": 1, "text": "A good film."}', [GOOD]),
    "plain.csv.gz": (gzip.compress(HEADER + b"A good film.,1\n"), [GOOD]),
    "byte order mark.csv.gz": (gzip.compress(b"\xef\xbb\xbf" + HEADER + b"a,1\n"), [("a", 1)]),
    "UPPER CASE.CSV.GZ": (gzip.compress(HEADER + b"A good film.,1\n"), [GOOD]),
    "dots.in.its.name.csv": (HEADER + b"A good film.,1\n", [GOOD]),
    "plain.tsv": (b"text\tlabel\nBad, very bad\t0\n", [("Bad, very bad", 0)]),
    "tab in quotes.tsv": (b'text\tlabel\n"Bad\tso bad"\t0\n', [("Bad\tso bad", 0)]),
    "plain.json": (b"[" + LINE.strip() + b", " + LINE.strip() + b"]", [GOOD, GOOD]),
    "over lines.json": (b' [\n{"text": "a",\n"label": 0}\n]\n', [("a", 0)]),
    "one a line.json": (LINE * 2, [GOOD, GOOD]),
    "plain.parquet": (PARQUET, [GOOD, BAD]),
    "UPPER CASE.PARQUET": (PARQUET, [GOOD, BAD]),
    "boolean labels.parquet": (parquet(text=["a", "b"], label=[True, False]), [("a", 1), ("b", 0)]),
    "float labels.parquet": (parquet(text=["a"], label=[1.0]), [("a", 1)]),
    "decimal labels.parquet": (parquet(text=["a"], label=[decimal.Decimal(1)]), [("a", 1)]),
    "categories.parquet": (
        parquet(text=["a", "b"], label=pa.array(["pos", "neg"]).dictionary_encode()),
        [("a", 1), ("b", 0)],
    ),
}

REFUSED = {
    "comma without quotes.csv": (
        HEADER + b"A good film.,1\nA bad film, says reviewer 33,0\n",
        ["row 1", "line 3", "expected 2 fields, found 3", "double quotes"],
    ),
    "comma without quotes in every row.csv": (
        HEADER + b"Bad, says he,0\nGood, says she,1\n",
        ["row 0", "line 2", "found 3"],
    ),
    "an index that the header does not announce.csv": (
        HEADER + b"0,A good film.,1\n1,A bad film.,0\n",
        ["row 0", "line 2", "found 3"],
    ),
    "a comma at the end.csv": (HEADER + b"A good film.,1,\n", ["row 0", "found 3"]),
    "stops early.csv": (HEADER + b"A good film.,1\nA bad film.\n", ["row 1", "line 3", "found 1"]),
    "stops early after a long row.csv": (
        HEADER + b'"one\ntwo\nthree",1\n\nA bad film.\n',
        ["row 1", "line 6", "found 1"],
    ),
    "a line of spaces.csv": (HEADER + b"A good film.,1\n   \n", ["row 1", "line 3", "found 1"]),
    "quote never closed.csv": (
        HEADER + b'A good film.,1\n"A bad film.,0\nAnother film.,1\n',
        ["begins on line 3", "double quote"],
    ),
    "quote closed by the next one.csv": (
        HEADER + b'"A good film.,1\n"A bad film.",0\n',
        ["begins on line 2", "double quote"],
    ),
    "quote escaped by a backslash.csv": (
        HEADER + rb'"A \"good\" film",1',
        ["begins on line 2", "twice"],
    ),
    "words after a quote.csv": (HEADER + b'"A good" film,1\n', ["begins on line 2"]),
    "text twice.csv": (b"text,label,text\na,1,b\n", ["column text more than once"]),
    "label twice.csv": (b"text,label,label\na,1,0\n", ["column label more than once"]),
    "no text.csv": (b"body,label\na,1\n", ["no column text:", "found 'body', 'label'"]),
    "no label.csv": (b"text,stars\na,5\n", ["no column label:", "found 'text', 'stars'"]),
    "neither.csv": (b"body,stars\na,5\n", ["no column text and no column label"]),
    "no header.csv": (b"A good film.,1\nA bad film.,0\n", ["no column text and no column label"]),
    "upper case header.csv": (b"Text,Label\na,1\n", ["found 'Text', 'Label'"]),
    "a space in the header.csv": (b"text, label\na,1\n", ["found 'text', ' label'"]),
    "semicolons.csv": (b"text;label\na;1\n", ["found 'text;label'"]),
    "tabs.csv": (b"text\tlabel\na\t1\n", [r"found 'text\tlabel'"]),
    "a very long header.csv": (b"x" * 9_000 + b",y\n", ["no column text"]),
    "only the header.csv": (HEADER, ["holds no reviews"]),
    "only blank lines.csv": (b"\n\n\n", ["no column text", "found none"]),
    "empty.csv": (b"", ["empty.csv is empty"]),
    "empty text.csv": (HEADER + b"a,1\nb,1\nc,1\n,0\n", ["row 3", "line 5", "empty text"]),
    "text of spaces.csv": (HEADER + b" \t ,0\n", ["row 0", "empty text"]),
    "three classes.csv": (
        HEADER + b"a,0\nb,1\nc,2\n",
        ["row 2", "line 4", "label '2'", "0 or neg"],
    ),
    "a class of words.csv": (HEADER + b"a,neutral\n", ["row 0", "label 'neutral'"]),
    "stars.csv": (HEADER + b"a,5\n", ["row 0", "label '5'"]),
    "half a label.csv": (HEADER + b"a,0.5\n", ["row 0", "label '0.5'"]),
    "no number.csv": (HEADER + b"a,NaN\n", ["row 0", "label 'NaN'"]),
    "no label in a row.csv": (HEADER + b"a,1\nb,\n", ["row 1", "line 3", "label ''"]),
    "minus one.csv": (HEADER + b"a,-1\n", ["row 0", "label '-1'"]),
    "word with a decimal.csv": (HEADER + b"a,neg.0\n", ["row 0", "label 'neg.0'"]),
    "a text for a label.csv": (
        HEADER + b"1," + b"long " * 500 + b"\n",
        ["row 0", "expected 0 or neg"],
    ),
    "windows encoding.csv": (
        HEADER + "A good film.,1\nCafé “Noir”,1\n".encode("cp1252"),
        ["line 3", "not UTF-8", "cp1252", "Café “Noir”", "save the file as UTF-8"],
    ),
    "latin encoding.csv": (HEADER + "Füße,1\n".encode("latin-1"), ["line 2", "not UTF-8"]),
    "utf-16.csv": (
        "text,label\na,1\n".encode("utf-16"),
        ["line 1", "not UTF-8", "byte order mark (BOM) of UTF-16"],
    ),
    "utf-16 without a mark.csv": ("text,label\na,1\n".encode("utf-16-le"), ["line 1", "NUL byte"]),
    "NUL byte.csv": (HEADER + b"A good film.,1\nA \0bad film.,0\n", ["line 3", "NUL byte"]),
    "only NUL bytes.csv": (b"\0" * 64, ["line 1", "NUL byte"]),
    "a picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), ["line 1", "not UTF-8"]),
    "half of a pair.csv": (HEADER + b"a\xed\xa0\xbd,1\n", ["line 2", "not UTF-8"]),
    "cut short.jsonl": (LINE + LINE[:20], ["row 1", "line 2", "no JSON"]),
    "broken after a blank line.jsonl": (LINE + b"\n{]\n", ["row 1", "line 3", "no JSON"]),
    "two in a line.jsonl": (LINE.strip() * 2, ["row 0", "line 1", "Extra data"]),
    "a list.jsonl": (b"[" + LINE.strip() + b"]", ["line 1", "JSON list", "one object a line"]),
    "a list over lines.jsonl": (b"[\n" + LINE + b"]", ["line 1", "no JSON"]),
    "a string.jsonl": (b'"A good film."', ["line 1", "JSON str"]),
    "nothing but null.jsonl": (b"null", ["line 1", "JSON NoneType"]),
    "no label in a row.jsonl": (LINE + b'{"text": "a"}', ["row 1", "line 2", "no column label"]),
    "no text in a row.jsonl": (LINE + b'{"label": 1}', ["row 1", "line 2", "no column text"]),
    "text twice.jsonl": (
        b'{"text": "a", "text": "b", "label": 1}',
        ["line 1", "'text' comes twice"],
    ),
    "text is null.jsonl": (b'{"text": null, "label": 1}', ["row 0", "text None", "a string"]),
    "text is a number.jsonl": (b'{"text": 7, "label": 1}', ["row 0", "text 7", "a string"]),
    "text is a list.jsonl": (b'{"text": ["a"], "label": 1}', ["row 0", "a string"]),
    "empty text.jsonl": (LINE + b'{"text": "", "label": 1}', ["row 1", "line 2", "empty text"]),
    "label is null.jsonl": (b'{"text": "a", "label": null}', ["row 0", "label None"]),
    "label is no number.jsonl": (b'{"text": "a", "label": NaN}', ["row 0", "label nan"]),
    "half a label.jsonl": (b'{"text": "a", "label": 0.5}', ["row 0", "label 0.5"]),
    "three classes.jsonl": (LINE + b'{"text": "a", "label": 2}', ["row 1", "line 2", "label 2"]),
    "a huge label.jsonl": (b'{"text": "a", "label": ' + b"1" * 5_000 + b"}", ["line 1"]),
    "half of a pair.jsonl": (
        LINE + rb'{"text": "a \ud83d film", "label": 1}',
        ["row 1", "line 2", "half of a character pair"],
    ),
    "NUL character.jsonl": (rb'{"text": "a\u0000b", "label": 1}', ["row 0", "NUL character"]),
    "too deep.jsonl": (b"[" * 100_000, ["line 1", "no JSON"]),
    "windows encoding.jsonl": (LINE + "“".encode("cp1252"), ["line 2", "not UTF-8"]),
    "empty.jsonl": (b"", ["empty.jsonl is empty"]),
    "only blank lines.jsonl": (b"\n \n", ["holds no reviews"]),
    "empty.parquet": (b"", ["empty.parquet is empty"]),
    "cut short.parquet": (PARQUET[:-40], ["as parquet", "cut short.parquet"]),
    "a csv in truth.parquet": (HEADER + b"A good film.,1\n", ["as parquet"]),
    "text twice.parquet": (parquet_with_two("text"), ["column text more than once"]),
    "label twice.parquet": (parquet_with_two("label"), ["column label more than once"]),
    "no label.parquet": (parquet(text=["a"], stars=[5]), ["no column label", "'text', 'stars'"]),
    "no rows.parquet": (
        parquet(text=pa.array([], pa.string()), label=pa.array([], pa.int64())),
        ["holds no reviews"],
    ),
    "no text in a row.parquet": (parquet(text=["a", None], label=[1, 0]), ["row 1", "text None"]),
    "no label in a row.parquet": (
        parquet(text=["a", "b"], label=[1, None]),
        ["row 1", "label None"],
    ),
    "half a label.parquet": (parquet(text=["a", "b"], label=[1, 0.5]), ["row 1", "label 0.5"]),
    "bytes.parquet": (parquet(text=[b"a"], label=[1]), ["row 0", "a string"]),
    "no utf-8.parquet": (parquet_with_a_text_that_is_no_utf8(), ["index 1", "as parquet"]),
    "dates for labels.parquet": (
        parquet(text=["a"], label=[datetime.datetime(2000, 1, 1)]),
        ["row 0", "0 or neg"],
    ),
    "spreadsheet.xlsx": (b"PK\x03\x04", [".csv, .parquet, .jsonl"]),
    "cut short.csv.gz": (gzip.compress(HEADER + b"A good film.,1\n")[:-12], ["cannot unpack"]),
    "a csv in truth.csv.gz": (HEADER + b"A good film.,1\n", ["cannot unpack", "the csv itself"]),
    "damaged inside.csv.gz": (
        gzip.compress(HEADER)[:12] + b"xxxx" + gzip.compress(HEADER)[16:],
        ["cannot unpack"],
    ),
    "nothing packed.csv.gz": (gzip.compress(b""), ["is empty"]),
    "a broken row.csv.gz": (
        gzip.compress(HEADER + b"A good film.,1\nbad, so bad,0\n"),
        ["row 1", "line 3", "found 3"],
    ),
    "other packing.jsonl.gz": (gzip.compress(LINE), [".csv, .parquet, .jsonl, .csv.gz"]),
    "commas.tsv": (HEADER + b"A good film.,1\n", ["no column text", "found 'text,label'"]),
    "a tab in a text.tsv": (
        b"text\tlabel\nA good film.\t1\nbad\tso bad\t0\n",
        ["row 1", "line 3", "found 3", "contains tabs"],
    ),
    "two marks.csv": (b"\xef\xbb\xbf" * 2 + HEADER + b"a,1\n", ["byte order mark (BOM)"]),
    "broken.json": (b'[{"text": "a", "label": 1},\n{"text": "b" "label": 0}]', ["line 2 of"]),
    "cut short.json": (b'[{"text": "a", "label": 1}', ["line 1 of", "no JSON"]),
    "an object in a list.json": (b'[{"text": "a", "label": 1}, 7]', ["row 1", "JSON int"]),
    "columns.json": (b'{"text": {"0": "a"}, "label": {"0": 1}}', ["row 0", "a string"]),
    "a list of lists.json": (b'[["a", 1]]', ["row 0", "JSON list", "a list of objects"]),
    "an empty list.json": (b"[]", ["holds no reviews"]),
    "text twice.json": (b'[{"text": "a", "text": "b", "label": 1}]', ["'text' comes twice"]),
    "too deep.json": (b"[" * 100_000, ["no JSON"]),
}


GROUPS = {
    "plain.csv": (b"text,label,group\na,1,Alien\nb,0,tt0061834\n", ["Alien", "tt0061834"]),
    "other order.csv": (b"group,label,x,text\nAlien,1,7,a\n", ["Alien"]),
    "spaces around.csv": (b"text,label,group\na,1,  Alien 3 \n", ["Alien 3"]),
    "looks like nothing.csv": (b"text,label,group\na,1,nan\nb,0,None\n", ["nan", "None"]),
    "numbers.csv": (b"text,label,group\na,1,007\nb,0,7.0\n", ["007", "7.0"]),
    "lines in quotes.csv": (b'text,label,group\na,1,"Alien\n3, ""cut"""\n', ['Alien\n3, "cut"']),
    "other scripts.csv": ("text,label,group\na,1,影\nb,0,😀\n".encode(), ["影", "😀"]),
    "plain.jsonl": (b'{"group": "Alien", "text": "a", "label": 1}', ["Alien"]),
    "numbers.jsonl": (
        b'{"text": "a", "label": 1, "group": 7}\n{"text": "b", "label": 0, "group": 7.0}',
        ["7", "7"],
    ),
    "Group beside group.jsonl": (
        b'{"text": "a", "label": 1, "group": "x", "Group": "y"}',
        ["x"],
    ),
    "plain.parquet": (parquet(text=["a"], label=[1], group=["Alien"]), ["Alien"]),
    "numbers.parquet": (parquet(text=["a", "b"], label=[1, 0], group=[7.0, 8.5]), ["7", "8.5"]),
    "categories.parquet": (
        parquet(text=["a"], label=[1], group=pa.array(["Alien"]).dictionary_encode()),
        ["Alien"],
    ),
}

WITH_GROUP = b"text,label,group\n"
BAD_GROUPS = {
    "empty group.csv": (WITH_GROUP + b"a,1,x\nb,0,\n", ["row 1", "line 3", "group ''"]),
    "group of spaces.csv": (WITH_GROUP + b"a,1, \t \n", ["row 0", "group ' \\t '"]),
    "no group in a row.csv": (WITH_GROUP + b"a,1,x\nb,0\n", ["row 1", "expected 3 fields"]),
    "group twice.csv": (b"group,text,label,group\nx,a,1,y\n", ["column group more than once"]),
    "a space before group.csv": (b"text,label, group\na,1,x\n", ["column ' group': call it group"]),
    "upper case group.csv": (b"text,label,Group\na,1,x\n", ["column 'Group': call it group"]),
    "group in some rows.jsonl": (
        b'{"text": "a", "label": 1, "group": "x"}\n' + LINE,
        ["row 1", "line 2", "name all or none"],
    ),
    "group from the second row on.jsonl": (
        LINE + b'{"text": "a", "label": 1, "group": "x"}',
        ["row 1", "line 2", "name all or none"],
    ),
    "group is null.jsonl": (b'{"text": "a", "label": 1, "group": null}', ["row 0", "group ''"]),
    "group twice.jsonl": (
        b'{"text": "a", "label": 1, "group": "x", "group": "y"}',
        ["line 1", "'group' comes twice"],
    ),
    "upper case group.jsonl": (
        b'{"text": "a", "label": 1, "Group": "x"}',
        ["row 0", "column 'Group'"],
    ),
    "group is no number.jsonl": (
        b'{"text": "a", "label": 1, "group": NaN}',
        ["row 0", "group nan"],
    ),
    "endless group.jsonl": (b'{"text": "a", "label": 1, "group": 1e999}', ["row 0", "group inf"]),
    "group is a list.jsonl": (b'{"text": "a", "label": 1, "group": ["x"]}', ["row 0", "a name"]),
    "group is an object.jsonl": (b'{"text": "a", "label": 1, "group": {}}', ["row 0", "a name"]),
    "half of a pair in a group.jsonl": (
        rb'{"text": "a", "label": 1, "group": "\ud83d"}',
        ["row 0", "a name"],
    ),
    "NUL in a group.jsonl": (
        rb'{"text": "a", "label": 1, "group": "x\u0000"}',
        ["row 0", "a name"],
    ),
    "no group in a row.parquet": (
        parquet(text=["a", "b"], label=[1, 0], group=["x", None]),
        ["row 1", "group ''"],
    ),
    "group is no number.parquet": (
        parquet(text=["a"], label=[1], group=[float("nan")]),
        ["row 0", "group nan"],
    ),
    "bytes for a group.parquet": (
        parquet(text=["a"], label=[1], group=[b"x"]),
        ["row 0", "a name"],
    ),
    "group twice.parquet": (parquet_with_two("group"), ["column group more than once"]),
    "a very long group.csv": (WITH_GROUP + b"a,1," + b"x" * 9_000 + b"\nb,0,\n", ["row 1"]),
}


def read(path):
    raw = load_raw_reviews(load_preset().replace(reviews=str(path)))["train"]
    stem = (
        path.stem.removesuffix(".csv").removesuffix(".CSV")
        if ".gz" in path.name.lower()
        else path.stem
    )
    assert raw["id"][:] == [f"{stem}/{row}" for row in range(len(raw))]
    return list(zip(raw["text"], raw["label"], strict=True))


def refusal(path):
    """Return the one line that refuses a file."""
    with pytest.raises(ValueError) as refused:
        read(path)
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < len(str(path)) + 400
    return message


@pytest.mark.parametrize("name", READ)
def test_a_good_file_is_read_as_it_stands(tmp_path, name):
    content, reviews = READ[name]
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name) == reviews


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_read_as_a_name(tmp_path, name):
    content, groups = GROUPS[name]
    (tmp_path / name).write_bytes(content)
    raw = load_raw_reviews(load_preset().replace(reviews=str(tmp_path / name)))["train"]
    assert raw["group"][:] == groups
    assert raw.features["group"].dtype == "string"


def test_a_file_without_groups_has_no_such_column(tmp_path):
    (tmp_path / "plain.csv").write_bytes(READ["plain.csv"][0])
    raw = load_raw_reviews(load_preset().replace(reviews=str(tmp_path / "plain.csv")))["train"]
    assert raw.column_names == ["text", "label", "id"]


@pytest.mark.parametrize("name", REFUSED | BAD_GROUPS)
def test_a_bad_file_is_refused_in_one_line_that_says_where(tmp_path, name):
    content, words = (REFUSED | BAD_GROUPS)[name]
    (tmp_path / name).write_bytes(content)
    message = refusal(tmp_path / name)
    assert name in message
    for word in words:
        assert word in message


def test_a_folder_and_a_missing_file_are_no_file(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("folder.csv", "none.csv", "none.JSONL"):
        with pytest.raises(FileNotFoundError, match=f"no file .*{name}"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["comma without quotes.csv", "cut short.jsonl", "no header.csv"])
def test_the_command_line_refuses_it_in_one_line_too(tmp_path, name, monkeypatch, capsys):
    (tmp_path / name).write_bytes(REFUSED[name][0])
    preset = load_preset().replace(reviews=str(tmp_path / name))
    monkeypatch.setitem(PRESETS, "mine", preset)
    assert main(["probe", "--preset", "mine"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: {refusal(tmp_path / name)}"


quick = settings(derandomize=True, deadline=None, max_examples=60, database=None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(str.strip)
REVIEWS = st.lists(st.tuples(TEXTS, st.sampled_from([0, 1])), min_size=1, max_size=8)


def write_csv(reviews):
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([("text", "label"), *reviews])
    return sink.getvalue().encode()


def write_jsonl(reviews):
    lines = (json.dumps({"text": text, "label": label}) for text, label in reviews)
    return "\n".join(lines).encode()


def write_parquet(reviews):
    texts, labels = zip(*reviews, strict=True)
    return parquet(text=texts, label=labels)


def write_tsv(reviews):
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter="\t").writerows([("text", "label"), *reviews])
    return sink.getvalue().encode()


def write_json(reviews):
    return json.dumps([{"text": text, "label": label} for text, label in reviews]).encode()


WRITERS = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
    ".csv.gz": lambda reviews: gzip.compress(write_csv(reviews)),
    ".tsv": write_tsv,
    ".json": write_json,
}


@pytest.mark.parametrize("suffix", WRITERS)
@quick
@given(reviews=REVIEWS)
@example(reviews=[('"', 1), (",", 0), ("a\r\nb", 1), ("a\u2028", 0), ("\ufeff", 1)])
def test_what_was_written_is_what_is_read(tmp_path_factory, suffix, reviews):
    path = tmp_path_factory.mktemp("any") / f"any{suffix}"
    path.write_bytes(WRITERS[suffix](reviews))
    assert read(path) == reviews


@pytest.mark.parametrize("suffix", WRITERS)
@quick
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, suffix, data):
    whole = WRITERS[suffix]([GOOD, ('Bad,\n"very" bad', 0), ("Größe 😀", 1)])
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 8, len(whole))))
    path = tmp_path_factory.mktemp("damaged") / f"damaged{suffix}"
    path.write_bytes(whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:])
    try:
        reviews = read(path)
    except ValueError as refused:
        assert "\n" not in str(refused)
        assert path.name in str(refused)
    else:
        assert all(text.strip() and label in (0, 1) for text, label in reviews)
