#!/usr/bin/env python3
"""Compares which mutated safetensors files `convert --list` takes with an own, independent reader.

    python3 tests/fuzz/safetensors_verdicts.py build/cpu/tools/convert [NUMBER] [SEED]

Standard library only. Prints the files on which the two disagree; exit code 1 if there are any.
"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4,
         "F32": 4, "F64": 8, "I64": 8, "U64": 8}
MOST_HEADER, MOST_RANK, MOST_DEPTH = 100_000_000, 16, 64


class Refused(Exception):
    pass


def need(holds, why):
    if not holds:
        raise Refused(why)


def unique(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "a key twice")
    return dict(pairs)


def integer(text):
    need(text != "-0", "-0")
    return int(text)


def refuse_constant(name):
    raise Refused(name)


def check_json(value, depth=1):
    """What Python's parser lets pass and JSON in UTF-8 does not."""
    need(depth <= MOST_DEPTH, "too deep")
    if isinstance(value, str):
        need(not any(0xD800 <= ord(c) < 0xE000 for c in value), "half a surrogate pair")
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        need(-(1 << 63) <= value < 1 << 64, "a number past 64 bits")
    elif isinstance(value, float):
        need(value not in (float("inf"), float("-inf")), "a number past a double")
    elif isinstance(value, list):
        for item in value:
            check_json(item, depth + 1)
    else:
        for key, item in value.items():
            check_json(key, depth)
            check_json(item, depth + 1)


def counts(value):
    need(isinstance(value, list), "no list")
    for item in value:
        need(type(item) is int and item >= 0, "no count")
    return value


def check(data):
    need(len(data) >= 8, "short")
    length = struct.unpack("<Q", data[:8])[0]
    need(length <= MOST_HEADER and length <= len(data) - 8, "header length")
    body = len(data) - 8 - length
    try:
        text = data[8:8 + length].decode("utf-8")
        header = json.loads(text, object_pairs_hook=unique, parse_int=integer,
                            parse_constant=refuse_constant)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Refused(str(error)) from error
    need(isinstance(header, dict), "no object")
    check_json(header)
    metadata = header.pop("__metadata__", {})
    need(isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values()), "metadata")
    ranges = []
    for tensor in header.values():
        need(isinstance(tensor, dict) and {"dtype", "shape", "data_offsets"} <= tensor.keys(), "fields")
        need(isinstance(tensor["dtype"], str) and tensor["dtype"] in SIZES, "dtype")
        shape, offsets = counts(tensor["shape"]), counts(tensor["data_offsets"])
        need(len(shape) <= MOST_RANK and len(offsets) == 2, "lengths")
        need(offsets[0] <= offsets[1] <= body, "offsets")
        size = SIZES[tensor["dtype"]]
        for extent in shape:
            need(extent < 1 << 63, "extent")
            size *= extent
            need(size < 1 << 64, "overflow")
        need(size == offsets[1] - offsets[0], "size")
        ranges.append(tuple(offsets))
    end = 0
    for first, last in sorted(ranges):
        need(first == end, "hole or overlap")
        end = last
    need(end == body, "trailing bytes")
    need(ranges, "no tensors")  # of no use as weights, though a file of the format


def mutate(rng, data):
    data = bytearray(data)
    words = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"-0", b"-", b"e3", b".0", b"null",
             b"\\u0000", b"\\ud800", b"\xc3", b"\xa9", b" ", b"\n", b"18446744073709551616", b'"F32"',
             b'"BF16"', b'"shape":', b'"dtype":', b'"__metadata__":{}', b"NaN", b'"w":']
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(data) + 1)
        way = rng.randrange(6)
        if way == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[at:at] = rng.choice(words)
        elif way == 2:
            word = rng.choice(words)
            data[at:at + len(word)] = word
        elif way == 3:
            del data[at:at + rng.randrange(1, 4)]
        elif way == 4:
            data[at:at] = data[at:at + rng.randrange(1, 12)]
        elif data:
            digits = [i for i, byte in enumerate(data) if 48 <= byte < 58]
            data[rng.choice(digits) if digits else 0] = rng.randrange(48, 58)
    # Most changes move the end of the header: half of the files get the length that fits.
    if rng.randrange(2) and len(data) > 8 and b"}" in data[8:]:
        end = data.rfind(b"}", 8)
        data[:8] = struct.pack("<Q", end + 1 - 8)
    return bytes(data)


def main():
    convert, number = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    corpus = pathlib.Path(__file__).parent / "corpus" / "safetensors"
    seeds = [path.read_bytes() for path in sorted(corpus.glob("seed_*")) if "checkpoint" not in path.name]
    taken = disagreements = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "m.safetensors"
        for index in range(number):
            data = mutate(rng, rng.choice(seeds)) if index >= len(seeds) else seeds[index]
            path.write_bytes(data)
            try:
                check(data)
                verdict, why = 0, ""
            except Refused as error:
                verdict, why = 4, str(error)
            run = subprocess.run([convert, "--list", path], capture_output=True, check=False)
            taken += run.returncode == 0
            if run.returncode != verdict:
                disagreements += 1
                print(f"{run.returncode} and not {verdict} ({why}): {data!r}\n  {run.stderr.decode()}")
    print(f"{number} files, {taken} taken, {disagreements} disagreements")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
