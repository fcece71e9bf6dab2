"""Archives that are damaged or lie about themselves (.pth of PyTorch 1.6 and later)."""
import struct

from case import Case, cuts
from pickle_code import FOUR_FLOATS, Member, archive, dictionary, members, program, pth, tensor, weights

OK, BAD = 0, 4


def changed(index, **fields):
    """The directory says something of a member that its own header does not."""
    listed = members()
    listed[index].fields.update(fields)
    return archive(listed)


def with_local(index, **fields):
    listed = members()
    listed[index].local.update(fields)
    return archive(listed)


def both(index, **fields):
    listed = members()
    listed[index].fields.update(fields)
    listed[index].local.update(fields)
    return archive(listed)


def named(path):
    return archive(members() + [Member(path, b"x")])


def overlapping():
    listed = members(records=(("0", FOUR_FLOATS), ("1", FOUR_FLOATS)))
    listed[2].fields["offset"] = len(archive(listed[:1], end=False)) - 46 - len(listed[0].path)
    return archive(listed)


def bomb(path, mebibytes, numel):
    zeros = bytes(mebibytes << 20)
    listed = members(weights(size=(numel,), numel=numel), records=())
    kept = [member for member in listed if member.path != path.encode()]
    return archive(kept + [Member(path, zeros).deflated()])




def zip_cases():
    good = pth()
    cases = [
        Case("good.pth", good, OK, "f32"),
        Case("empty.pth", b"", BAD, "empty"),
        Case("only_signature.pth", b"PK\3\4", BAD, ""),
        Case("no_end.pth", archive(members(), end=False), BAD, "end"),
        Case("entries_65535.pth", archive(members(), count=65535), BAD, ""),
        Case("entries_2.pth", archive(members(), count=2), BAD, "entr"),
        Case("directory_past_end.pth", archive(members(), directory_offset=1 << 30), BAD, "director"),
        Case("directory_in_payload.pth", archive(members(), directory_offset=40), BAD, ""),
        Case("locator_to_itself.pth", archive(members(), locator=lambda place: place + 56), BAD, ""),
        Case("locator_past_end.pth", archive(members(), locator=lambda place: 1 << 62), BAD, ""),
        Case("zip64_size.pth", archive(members(), end64={"size": 1 << 63}), BAD, ""),
        Case("zip64_entries.pth", archive(members(), end64={"entries": 1 << 63}), BAD, ""),
        Case("zip64_offset.pth", archive(members(), end64={"offset": (1 << 64) - 1}), BAD, ""),
        Case("zip64_good.pth", archive(members(), end64={}), OK, "f32"),
        Case("two_data_0.pth", named("x/data/0"), BAD, "two members"),
        Case("two_pickles.pth", named("x/data.pkl"), BAD, "two members"),
        Case("local_name.pth", with_local(1, path=b"x/data/7"), BAD, "name"),
        Case("local_method.pth", with_local(1, method=8), BAD, "method"),
        Case("local_flags.pth", with_local(1, flags=1), BAD, ""),
        Case("overlap.pth", overlapping(), BAD, ""),
        Case("payload_over_header.pth", both(0, packed=len(weights()) + 20,
                                             size=len(weights()) + 20), BAD, ""),
        Case("name_parent.pth", named("../../etc/x"), BAD, ""),
        Case("name_parent_inside.pth", named("x/../../etc/x"), BAD, ""),
        Case("name_absolute.pth", named("/abs"), BAD, ""),
        Case("name_backslash.pth", named("x/a\\..\\b"), BAD, ""),
        Case("name_nul.pth", named(b"x/a\0b"), BAD, ""),
        Case("name_64k.pth", named("x/" + "n" * 65000), BAD, "name"),
        Case("name_not_utf8.pth", named(b"x/\xff\xfe"), BAD, ""),
        Case("no_prefix.pth", archive([Member("data.pkl", weights()), Member("data/0", FOUR_FLOATS)]),
             BAD, ""),
        Case("two_prefixes.pth", named("y/data/1"), BAD, ""),
        Case("upper_case.pth", archive([Member("x/DATA.PKL", weights())] + members()[1:]), BAD, ""),
        Case("bomb_data.pth", bomb("x/data/0", 128, 128 << 18), BAD, "unpack"),
        Case("bomb_pickle.pth", bomb("x/data.pkl", 100, 4), BAD, ""),
        Case("method_12.pth", both(1, method=12), BAD, "method"),
        Case("method_99.pth", both(1, method=99), BAD, "method"),
        Case("encrypted.pth", both(1, flags=0x801), BAD, "encrypt"),
        Case("wrong_crc.pth", both(1, crc=7), BAD, "crc"),
        Case("wrong_crc_pickle.pth", both(0, crc=7), BAD, "crc"),
        Case("no_crc.pth", archive(without_crc(members())), OK, "f32"),
        Case("second_disk.pth", archive(members(), disk=1), BAD, "disk"),
        Case("trailing.pth", good + b"trailing bytes", BAD, ""),
        Case("prepended.pth", b"\x7fELF" + bytes(60) + good, BAD, ""),
        Case("prepended_shifted.pth", b"\x7fELF" + bytes(60) + archive(members(), shift=64), BAD, ""),
        Case("torchscript.pth", pth(extra=(("constants.pkl", b"\x80\2)."),)), BAD, "script"),
        Case("byteorder_middle.pth", pth(extra=(("byteorder", b"middle"),)), BAD, "byteorder"),
        Case("byteorder_big.pth", pth(extra=(("byteorder", b"big"),)), OK, "f32"),
        Case("record_missing.pth", pth(records=()), BAD, "data/0"),
        Case("record_unused.pth", pth(records=(("0", FOUR_FLOATS), ("7", FOUR_FLOATS))), OK, "f32"),
    ]
    for title, version in (("99", b"99\n"), ("minus", b"-1\n"), ("none", b""),
                           ("long", b"1" * (1 << 20))):
        listed = members()
        listed[-1] = Member("x/version", version)
        cases.append(Case(f"version_{title}.pth", archive(listed), BAD, "version"))
    return cases + cuts("cut", ".pth", good, 64, BAD, "")


def without_crc(listed):
    for member in listed:
        member.fields["crc"] = member.local["crc"] = 0
    return listed
