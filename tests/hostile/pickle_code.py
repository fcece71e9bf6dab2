"""Pickles put together opcode by opcode, and the archives around them."""
import struct
import zlib


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def pack(*items):
    return b"(" + b"".join(items) + b"t"


def storage(key="0", numel=4, kind="FloatStorage", legacy=False):
    items = [text("storage"), name("torch", kind), text(key), text("cpu"), number(numel)]
    return pack(*items, *([b"N"] if legacy else [])) + b"Q"


def tensor(size=(4,), stride=(1,), offset=0, where=None, **of_storage):
    parts = [where or storage(**of_storage), number(offset), pack(*map(number, size)),
             pack(*map(number, stride)), b"\x89", name("collections", "OrderedDict") + b")R"]
    return name("torch._utils", "_rebuild_tensor_v2") + pack(*parts) + b"R"


def dictionary(*pairs):
    return b"}(" + b"".join((text(k) if isinstance(k, str) else k) + v for k, v in pairs) + b"u"


def program(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + b"."


def weights(**kwargs):
    return program(dictionary(("a", tensor(**kwargs))))


class Member:
    """A file in a ZIP archive. What the local header says can differ from the directory."""

    def __init__(self, path, data=b"", **fields):
        self.path = path if isinstance(path, bytes) else path.encode()
        self.data = data
        self.fields = {"method": 0, "flags": 0x800, "crc": zlib.crc32(data), "packed": len(data),
                       "size": len(data), "offset": None}
        self.fields.update(fields)
        self.local = dict(self.fields, path=self.path)

    def deflated(self, level=9):
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        packed = packer.compress(self.data) + packer.flush()
        self.data = packed
        for fields in (self.fields, self.local):
            fields.update(method=8, packed=len(packed))
        return self


def archive(members, count=None, directory_offset=None, disk=0, locator=None, end64=None,
            end=True, shift=0):
    body, central = b"", b""
    for member in members:
        f, local = member.fields, member.local
        offset = len(body) + shift if f["offset"] is None else f["offset"]
        body += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, local["flags"], local["method"], 0, 0,
                            local["crc"], local["packed"], local["size"], len(local["path"]), 0)
        body += local["path"] + member.data
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, f["flags"], f["method"],
                               0, 0, f["crc"], f["packed"], f["size"], len(member.path), 0, 0, 0,
                               0, 0, offset & 0xFFFFFFFF)
        central += member.path
    start = len(body) + shift
    offset = start if directory_offset is None else directory_offset
    count = len(members) if count is None else count
    tail = b""
    if end64 is not None or locator is not None:
        sizes = dict(entries=count, size=len(central), offset=offset)
        sizes.update(end64 or {})
        place = start + len(central)
        tail = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, sizes["entries"],
                           sizes["entries"], sizes["size"], sizes["offset"])
        tail += struct.pack("<IIQI", 0x07064B50, 0, locator(place) if locator else place, 1)
        count, offset = 0xFFFF, 0xFFFFFFFF
    if end:
        tail += struct.pack("<IHHHHIIH", 0x06054B50, disk, disk, count, count,
                            0xFFFFFFFF if tail else len(central), offset, 0)
    return body + central + tail


FOUR_FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def members(pickled=None, records=(("0", FOUR_FLOATS),), prefix="x", extra=()):
    listed = [Member(f"{prefix}/data.pkl", weights() if pickled is None else pickled)]
    listed += [Member(f"{prefix}/data/{key}", data) for key, data in records]
    listed += [Member(f"{prefix}/{path}", data) for path, data in extra]
    return listed + [Member(f"{prefix}/version", b"3\n")]


def pth(pickled=None, records=(("0", FOUR_FLOATS),), **kwargs):
    return archive(members(pickled, records, **kwargs))
