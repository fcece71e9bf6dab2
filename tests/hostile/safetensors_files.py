"""Safetensors with headers that lie."""
import struct

from case import Case, cuts, in_pieces

OK, BAD = 0, 4


def around(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(shape="[2]", offsets="[0,8]", dtype="F32", more=""):
    return '{"dtype":"%s","shape":%s,"data_offsets":%s%s}' % (dtype, shape, offsets, more)


def tensors(*pairs, data=8):
    return around("{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}", bytes(data))


def million_empty():
    one = entry("[0]", "[0,0]")
    length = len(one) * 1_000_000 + sum(len(f'"{i}":') for i in range(1_000_000)) + 1_000_001
    yield struct.pack("<Q", length)
    for i in range(1_000_000):
        yield f'{"," if i else "{"}"{i}":{one}'.encode()
    yield b"}"


def safetensors_cases():
    good = tensors(("a", entry()))
    second = entry(offsets="[8,16]")
    files = [
        ("good", good, OK, "f32"),
        ("length_2_64", around("{}", length=(1 << 64) - 1), BAD, ""),
        ("length_2_63", around("{}", length=1 << 63), BAD, ""),
        ("length_100m", around("{}", length=100_000_001), BAD, ""),
        ("length_7_more", around("{}", length=9), BAD, ""),
        ("not_utf8", around(b'{"\xff":1}'), BAD, "utf-8"),
        ("list", around("[]"), BAD, ""), ("null", around("null"), BAD, ""),
        ("text", around('"x"'), BAD, ""), ("open", around("{"), BAD, ""),
        ("twice", tensors(("a", entry()), ("a", entry())), BAD, "twice|duplicate"),
        ("twice_empty", tensors(("a", entry()), ("b", entry("[0]", "[8,8]")),
                                ("b", entry("[0]", "[8,8]"))), BAD, "twice|duplicate"),
        ("twice_escaped", tensors(("a", entry()), ("\\u0061", second), data=16), BAD, "twice|duplicate"),
        ("metadata_twice", tensors(("__metadata__", "{}"), ("__metadata__", "{}"), ("a", entry())),
         BAD, ""),
        ("dtype_twice", tensors(("a", entry(more=',"dtype":"F32"'))), BAD, ""),
        ("overlap", tensors(("a", entry()), ("b", entry(offsets="[4,12]")), data=12), BAD, ""),
        ("hole", tensors(("a", entry()), ("b", entry(offsets="[12,20]")), data=20), BAD, ""),
        ("begin_after_end", tensors(("a", entry(offsets="[8,0]"))), BAD, ""),
        ("past_end", tensors(("a", entry("[200]", "[0,800]"))), BAD, ""),
        ("overflow", tensors(("a", entry(f"[2,{(1 << 64) - 2}]"))), BAD, ""),
        ("overflow_63", tensors(("a", entry(f"[2,{(1 << 63) - 1}]"))), BAD, ""),
        ("offsets_1", tensors(("a", entry(offsets="[8]"))), BAD, ""),
        ("offsets_3", tensors(("a", entry(offsets="[0,8,8]"))), BAD, ""),
        ("offsets_float", tensors(("a", entry(offsets="[0.0,8.0]"))), BAD, ""),
        ("dtype_unknown", tensors(("a", entry(dtype="F33"))), BAD, "F33"),
        ("dtype_lower", tensors(("a", entry(dtype="f32"))), BAD, "f32"),
        ("size_mismatch", tensors(("a", entry("[3]"))), BAD, ""),
        ("trailing_4", good + bytes(4), BAD, "4 "),
        ("zip_behind", good + b"PK\3\4" + bytes(40) + b"PK\5\6" + bytes(18), BAD, ""),
        ("two_bytes_missing", good[:-2], BAD, ""),
        ("deep", tensors(("a", entry(more=',"x":' + "[" * 100_000 + "]" * 100_000))), BAD, ""),
        ("nul_name", tensors(("a\\u0000b", entry())), OK, "f32"),
        ("lone_surrogate", tensors(("\\ud800", entry())), BAD, ""),
        ("metadata_number", tensors(("__metadata__", '{"a":1}'), ("a", entry())), BAD, ""),
        ("metadata_null", tensors(("__metadata__", '{"a":null}'), ("a", entry())), BAD, ""),
        ("metadata_object", tensors(("__metadata__", '{"a":{}}'), ("a", entry())), BAD, ""),
        ("metadata_tensor", tensors(("__metadata__", entry())), BAD, ""),
        ("f4_odd", tensors(("a", entry("[3]", "[0,1]", "F4")), data=1), BAD, ""),
        ("rank_100k", tensors(("a", entry("[" + "1," * 99_999 + "2]"))), BAD, ""),
        ("leading_space", around(" " * 8 + "{" + '"a":' + entry() + "}", bytes(8)), OK, "f32"),
        ("bom", around(b"\xef\xbb\xbf{}"), BAD, ""),
        ("comment", around('{/**/"a":' + entry() + "}", bytes(8)), BAD, ""),
        ("trailing_comma", around('{"a":' + entry() + ",}", bytes(8)), BAD, ""),
        ("nan", tensors(("a", entry("[NaN]"))), BAD, ""),
        ("extra_field", tensors(("a", entry(more=',"x":1'))), OK, "f32"),
    ]
    for title, shape in (("negative", "[-2]"), ("float", "[2.0]"), ("exponent", "[2e0]"),
                         ("true", "[true]"), ("text", '["2"]'), ("2_64", f"[{1 << 64}]"),
                         ("nested", "[[2]]"), ("leading_zero", "[02]"), ("minus_zero", "[-0,2]"),
                         ("no_list", "2")):
        files.append((f"shape_{title}", tensors(("a", entry(shape))), BAD, ""))
    cases = [Case(f"{title}.safetensors", data, code, words) for title, data, code, words in files]
    cases += [Case(f"bytes_{n}.safetensors", good[:n], BAD, "") for n in range(1, 8)]
    cases.append(Case("million_empty.safetensors", in_pieces(million_empty), OK, "f32", 5.0, 1024))
    return cases + cuts("cut", ".safetensors", good, 16, BAD, "")
