"""Pickles that attack, and tensors that do not fit their data."""
import struct

from case import Case, cuts
from pickle_code import (FOUR_FLOATS, dictionary, name, number, pack, program, pth, storage, tensor,
                         text, weights)

OK, BAD = 0, 4


def one(value, key="a"):
    return pth(program(dictionary((key, value))))


def raw(body, protocol=2):
    return pth(program(body, protocol))


def rebuilt(*arguments):
    return name("torch._utils", "_rebuild_tensor_v2") + pack(*arguments) + b"R"


def pickle_cases():
    call = pack(text("id"))
    good = tensor()
    hooks = name("collections", "OrderedDict") + b")R"
    plain = [storage(), number(0), pack(number(4)), pack(number(1))]
    laughs = b")" + b"2\x86" * 30
    bodies = [
        ("system", name("os", "system") + call + b"R", BAD, "os.system"),
        ("posix", name("posix", "system") + call + b"R", BAD, "posix.system"),
        ("instance", b"(S'id'\nios\nsystem\n", BAD, "opcode"),
        ("object", b"(" + name("os", "system") + text("id") + b"o", BAD, ""),
        ("newobj_ex", name("os", "system") + b")}\x92", BAD, ""),
        ("extension", b"\x82\x01", BAD, "opcode"),
        ("nested_loader", name("pickle", "loads") + pack(b"C\1.") + b"R", BAD, "pickle.loads"),
        ("torch_load", name("torch", "load") + call + b"R", BAD, "torch.load"),
        ("subprocess", name("subprocess", "Popen") + call + b"R", BAD, "subprocess.Popen"),
        ("setitem_on_list", b"]" + text("a") + good + b"s", BAD, ""),
        ("setitem_on_int", number(3) + text("a") + good + b"s", BAD, ""),
        ("setitem_on_tensor", good + text("a") + good + b"s", BAD, ""),
        ("appends_on_dict", b"}(" + good + b"e", BAD, ""),
        ("setitems_odd", b"}(" + text("a") + b"u", BAD, ""),
        ("build_on_int", number(3) + b"}b", BAD, ""),
        ("build_tuple_state", b"})b", BAD, ""),
        ("memo_unset", b"h\x07", BAD, "memo"),
        ("memo_far", b"}r" + b"\xff" * 4, BAD, "memo"),
        ("tuple_without_mark", b"t", BAD, ""),
        ("pop_empty", b"0", BAD, ""),
        ("marks", b"(" * 10_000_000, BAD, ""),
        ("self_containing", b"}q\0" + text("a") + b"h\0s", BAD, ""),
        ("laughs", dictionary(("a", laughs)), BAD, ""),
        ("unicode_4g", b"X" + b"\xff" * 4, BAD, ""),
        ("bytes_2_63", b"\x8e" + struct.pack("<Q", 1 << 63), BAD, ""),
        ("key_not_utf8", dictionary((text(b"\xff\xfe"), good)), BAD, "utf-8"),
        ("long_255", b"\x8a\xff" + b"\x7f" * 255, BAD, ""),
        ("frame_past_end", b"\x95" + struct.pack("<Q", 1 << 40) + b"}", BAD, ""),
        ("global_without_newline", b"cos", BAD, ""),
        ("global_1m", b"c" + b"m" * (1 << 20) + b"\nx\n", BAD, "512 bytes"),
        ("global_nul", b"cto\0rch\nx\n)R", BAD, ""),
        ("duplicate_names", dictionary(("a", good), ("a", good)), BAD, ""),
        ("number_keys", dictionary((number(1), good), ("a", good)), OK, "f32"),
        ("no_tensors", b"}", BAD, "tensor"),
        ("none", b"N", BAD, ""),
        ("args_3", dictionary(("a", rebuilt(*plain[:3]))), BAD, ""),
        ("args_5", dictionary(("a", rebuilt(*plain, b"\x89"))), BAD, ""),
        ("args_8", dictionary(("a", rebuilt(*plain, b"\x89", hooks, b"N", b"N"))), BAD, ""),
        ("args_no_tuple", dictionary(("a", name("torch._utils", "_rebuild_tensor_v2") + b"]R")),
         BAD, ""),
        ("storage_is_number", dictionary(("a", rebuilt(number(5), *plain[1:], b"\x89", hooks))),
         BAD, ""),
        ("storage_is_text", dictionary(("a", rebuilt(text("0"), *plain[1:], b"\x89", hooks))),
         BAD, ""),
        ("storage_is_tensor", dictionary(("a", rebuilt(good, *plain[1:], b"\x89", hooks))), BAD, ""),
        ("getattr_beside", dictionary(("a", good), ("b", name("builtins", "getattr") + call + b"R")),
         BAD, "a, b"),
        ("nested_lists", b"]" * 1_000_000 + b"a" * 999_999, BAD, ""),
    ]
    cases = [Case(f"pickle_{title}.pth", raw(body), code, words) for title, body, code, words in bodies]
    stack = b"\x8c\x08builtins\x8c\x04eval\x93" + call + b"R"
    return cases + [
        Case("pickle_eval.pth", raw(stack, 4), BAD, "builtins.eval"),
        Case("pickle_protocol_9.pth", raw(b"}", 9), BAD, "protocol"),
        Case("pickle_no_stop.pth", pth(weights()[:-1]), BAD, ""),
        Case("pickle_after_stop.pth", pth(weights() + program(name("os", "system") + call + b"R")),
             OK, "f32"),
    ]


def tensor_cases():
    half = 1 << 62
    shapes = [
        ("numel_overflow", dict(numel=1 << 61, kind="DoubleStorage"), BAD, ""),
        ("numel_negative", dict(numel=-1), BAD, ""),
        ("numel_large", dict(numel=5), BAD, ""),
        ("numel_small", dict(numel=3, size=(3,)), BAD, ""),
        ("offset_negative", dict(offset=-1), BAD, "offset"),
        ("offset_huge", dict(offset=(1 << 63) - 1), BAD, ""),
        ("stride_negative", dict(stride=(-1,)), BAD, ""),
        ("size_negative", dict(size=(-4,)), BAD, ""),
        ("size_overflow", dict(size=(1 << 40, 1 << 40), stride=(1, 1)), BAD, ""),
        ("stride_overflow", dict(size=(3,), stride=(half,)), BAD, ""),
        ("past_end", dict(size=(4,), offset=1), BAD, ""),
        ("at_end", dict(size=(3,), offset=1), OK, "f32"),
        ("expanded_terabyte", dict(size=(1 << 40,), stride=(0,)), BAD, ""),
        ("rank_65", dict(size=(1,) * 65, stride=(1,) * 65), BAD, "rank|dimension"),
        ("rank_million", dict(size=(1,) * 1_000_000, stride=(1,) * 1_000_000), BAD, ""),
        ("rank_differs", dict(size=(4,), stride=(1, 1)), BAD, ""),
        ("size_bool", dict(size=(True,)), BAD, ""),
        ("size_float", dict(size=(b"G" + struct.pack(">d", 4.0),)), BAD, ""),
        ("size_text", dict(size=(text("4"),)), BAD, ""),
        ("size_2_64", dict(size=(1 << 64,)), BAD, ""),
        ("quantised", dict(kind="QInt32Storage"), BAD, ""),
        ("unknown_storage", dict(kind="PurpleStorage"), BAD, ""),
        ("empty", dict(size=(0, 3), stride=(3, 1)), OK, "f32"),
    ]
    cases = [Case(f"tensor_{title}.pth", one(tensor(**kwargs)), code, words)
             for title, kwargs, code, words in shapes]
    for title, key in (("parent", "../0"), ("inside", "0/../1"), ("none", ""), ("long", "k" * (1 << 20))):
        cases.append(Case(f"tensor_key_{title}.pth", one(tensor(key=key)), BAD, ""))
    expanded = [(f"t{i}", tensor(size=(4000,), stride=(0,))) for i in range(20_000)]
    return cases + [
        Case("tensor_many_expanded.pth", pth(program(dictionary(*expanded))), BAD, ""),
        Case("tensor_two_types.pth", pth(program(dictionary(
            ("a", tensor()), ("b", tensor(numel=2, size=(2,), kind="LongStorage"))))), BAD, ""),
        Case("tensor_not_finite.pth", pth(records=(("0", struct.pack("<4f", float("nan"), float("inf"), 0, 1)),)),
             OK, "f32"),
    ]


MAGIC = number(0x1950A86A20F9469CFC6C)


def legacy(magic=MAGIC, protocol=1001, body=None, keys=("5",), data=None, little=True):
    info = dictionary(("protocol_version", number(1001)), ("little_endian", number(little)))
    body = body or dictionary(("a", tensor(where=storage("5", legacy=True))))
    listed = b"](" + b"".join(map(text, keys)) + b"e"
    if data is None:
        data = struct.pack("<q" if little else ">q", 4) + FOUR_FLOATS
    return b"".join(map(program, (magic, number(protocol), info, body, listed))) + data


def viewed(view_key, offset, numel):
    where = pack(text("storage"), name("torch", "FloatStorage"), text("5"), text("cpu"), number(4),
                 pack(text(view_key), number(offset), number(numel))) + b"Q"
    return legacy(body=dictionary(("a", tensor(where=where, size=(2,)))))


def legacy_cases():
    module = pack(text("module"), name("torch.nn", "Linear"), text("x.py"), text("source")) + b"Q"
    good = legacy()
    return [
        Case("legacy_good.pth", good, OK, "f32"),
        Case("legacy_magic.pth", legacy(magic=number(0x1950A86A20F9469CFC6D)), BAD, ""),
        Case("legacy_protocol.pth", legacy(protocol=1002), BAD, ""),
        Case("legacy_key_unknown.pth", legacy(keys=("5", "6")), BAD, ""),
        Case("legacy_key_missing.pth", legacy(keys=()), BAD, ""),
        Case("legacy_key_twice.pth", legacy(keys=("5", "5")), BAD, ""),
        Case("legacy_numel_minus.pth", legacy(data=struct.pack("<q", -1) + FOUR_FLOATS), BAD, ""),
        Case("legacy_numel_2_62.pth", legacy(data=struct.pack("<q", 1 << 62) + FOUR_FLOATS), BAD, ""),
        Case("legacy_numel_other.pth", legacy(data=struct.pack("<q", 3) + FOUR_FLOATS), BAD, ""),
        Case("legacy_cut_float.pth", good[:-2], BAD, ""),
        Case("legacy_view_beyond.pth", viewed("7", 3, 2), BAD, ""),
        Case("legacy_view_of_itself.pth", viewed("5", 0, 2), BAD, ""),
        Case("legacy_view_good.pth", viewed("7", 1, 2), OK, "f32"),
        Case("legacy_big_endian.pth", legacy(little=False), OK, "f32"),
        Case("legacy_module.pth", legacy(body=dictionary(("a", module))), BAD, "state_dict"),
        Case("legacy_tar.pth", tar("storages", b"\x80\2K\0."), BAD, "tar"),
        Case("legacy_tar_link.pth", tar("storages", b"", b"2", "/etc/passwd"), BAD, "tar"),
        Case("legacy_tar_absolute.pth", tar("/etc/passwd", b"x"), BAD, "tar"),
        Case("legacy_tar_size.pth", tar("storages", b"", size=b"\xff" * 12), BAD, "tar"),
    ] + cuts("legacy_cut", ".pth", good, 16, BAD, "")


def tar(path, data, kind=b"0", link="", size=None):
    header = bytearray(512)
    header[:len(path)] = path.encode()
    header[124:136] = size or b"%011o\0" % len(data)
    header[156:157] = kind
    header[157:157 + len(link)] = link.encode()
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % (sum(header) + 8 * 32)
    return bytes(header) + data.ljust(-(-len(data) // 512) * 512, b"\0") + bytes(1024)
