"""Pictures that are damaged, lie, or ask for too much."""
import os
import struct
import zlib

from case import Case

GOOD, BAD = 0, 3
IMAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "images")


def golden(name):
    with open(os.path.join(IMAGES, name), "rb") as file:
        return file.read()


def chunk(kind, data, crc=None):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = chunk(b"IEND", b"")


def header(width, height, depth=8, colour=2, crc=None):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0), crc)


def rows(width, height, channels=3):
    return zlib.compress(bytes(height * (1 + width * channels)))


def png(width=16, height=12, between=b"", data=None):
    return (SIGNATURE + header(width, height) + between +
            chunk(b"IDAT", rows(width, height) if data is None else data) + END)


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def segments(jpeg):
    """(marker, offset) up to the first scan."""
    at = 2
    while True:
        yield jpeg[at + 1], at
        if jpeg[at + 1] == 0xDA:
            return
        at += 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]


def place(jpeg, *markers):
    return next(at for marker, at in segments(jpeg) if marker in markers)


def without(jpeg, marker):
    while marker in (m for m, _ in segments(jpeg)):
        at = place(jpeg, marker)
        jpeg = jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]:]
    return jpeg


def patched(data, at, new):
    return data[:at] + new + data[at + len(new):]


def inserted(data, at, new):
    return data[:at] + new + data[at:]


def exif(order, entries, count=None, offset=8):
    tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", offset)
    tiff += struct.pack(order + "H", len(entries) if count is None else count)
    tiff += b"".join(struct.pack(order + "HHI", *e[:3]) + e[3] for e in entries)
    return segment(0xE1, b"Exif\0\0" + tiff + struct.pack(order + "I", offset))


def jpeg_cases():
    good = golden("rgb_420_q90.jpg")
    frame = place(good, 0xC0)
    scan = place(good, 0xDA)
    table = place(good, 0xC4)
    progressive = golden("rgb_420_progressive.jpg")
    last_scan = progressive.rfind(b"\xff\xda")
    one_scan = progressive[last_scan:-2]
    short = struct.pack("<H", 6) + b"\0\0"
    files = [
        ("good", good, GOOD, ""),
        ("30_percent", good[: len(good) * 3 // 10], BAD, "damaged"),
        ("90_percent", good[: len(good) * 9 // 10], BAD, "damaged"),
        ("99_percent", good[: len(good) * 99 // 100], BAD, "damaged"),
        ("no_end", good[:-2], BAD, "damaged"),
        ("12_bit", patched(good, frame + 4, b"\x0c"), BAD, "12"),
        ("lossless", patched(good, frame + 1, b"\xc3"), BAD, "lossless"),
        ("height_0", patched(good, frame + 5, b"\0\0"), BAD, ""),
        ("width_0", patched(good, frame + 7, b"\0\0"), BAD, ""),
        ("65500", patched(good, frame + 5, struct.pack(">HH", 65500, 65500)), BAD, "limit"),
        ("65535", patched(good, frame + 5, struct.pack(">HH", 65535, 65535)), BAD, ""),
        ("table_overfull", patched(good, table + 5, b"\xff" * 16), BAD, "damaged"),
        ("restarts", inserted(good, scan, segment(0xDD, b"\0\1") * 100_000), BAD, "damaged"),
        ("two_frames", inserted(good, scan, good[frame:frame + 19]), BAD, ""),
        ("scan_before_frame", inserted(good, 2, good[scan:scan + 14]), BAD, ""),
        ("components_0", patched(good, frame + 9, b"\0"), BAD, ""),
        ("sampling_4x4", patched(good, frame + 11, b"\x44\2\x44"), BAD, ""),
        ("sampling_0", patched(good, frame + 11, b"\0"), BAD, ""),
        ("comment_65535", inserted(good, 2, segment(0xFE, b"c" * 65533)), GOOD, ""),
        ("segment_length_1", inserted(good, 2, b"\xff\xfe\0\1"), GOOD, ""),
        ("exif_loop", inserted(good, 2, exif("<", [(0x8769, 4, 1, struct.pack("<I", 8))])), GOOD, ""),
        ("exif_count", inserted(good, 2, exif("<", [(0x112, 3, 1, short)], 65535)), GOOD, ""),
        ("exif_past_end", inserted(good, 2, exif(">", [], offset=0xFFFFFFF0)), GOOD, ""),
        ("exif_order", inserted(good, 2, segment(0xE1, b"Exif\0\0IM*\0" + bytes(20))), GOOD, ""),
        ("exif_long", inserted(good, 2, exif("<", [(0x112, 4, 1, struct.pack("<I", 6))])), GOOD, ""),
        ("exif_65535", inserted(good, 2, exif("<", [(0x112, 3, 1, b"\xff\xff\0\0")])), GOOD, ""),
        ("exif_short", inserted(good, 2, segment(0xE1, b"Exif\0\0")), GOOD, ""),
        ("icc_16m", inserted(good, 2, b"".join(
            segment(0xE2, b"ICC_PROFILE\0" + bytes([i % 255 + 1, 255]) + bytes(65500))
            for i in range(256))), GOOD, ""),
        ("scans_10k", progressive[:last_scan] + one_scan * 10_000 + b"\xff\xd9", BAD, "scan"),
        ("scans_10k_64k", patched(progressive, place(progressive, 0xC2) + 5,
                                  struct.pack(">HH", 64000, 64000))[:last_scan] +
         one_scan * 10_000 + b"\xff\xd9", BAD, "limit"),
        ("no_tables", without(good, 0xC4), GOOD, ""),
        ("no_quantisers", without(good, 0xDB), BAD, ""),
        ("only_start", b"\xff\xd8\xff", BAD, "damaged"),
        ("trailing", good + b"appended", GOOD, ""),
        ("html", b"<!DOCTYPE html><html>not found</html>", BAD, "html"),
        ("3_bytes", b"abc", BAD, ""), ("0_bytes", b"", BAD, "empty"),
        ("gif", b"GIF89a\1\0\1\0\0\0\0", BAD, "gif"),
    ]
    return [Case(f"{title}.jpg", data, code, words) for title, data, code, words in files]


def palette(indices):
    return (SIGNATURE + header(16, 12, colour=3) + chunk(b"PLTE", b"\0\0\0\xff\0\0") +
            chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes([indices]) * 16 for _ in range(12)))) + END)


def dictionary():
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, zdict=bytes(100))
    return packer.compress(bytes(12 * 49)) + packer.flush()


def bomb():
    packer = zlib.compressobj(9)
    return b"".join([packer.compress(bytes(1 << 20)) for _ in range(256)] + [packer.flush()])


def png_cases():
    good = png()
    data = good.index(b"IDAT")
    files = [
        ("good", good, GOOD, ""),
        ("cut", good[:-20], BAD, ""), ("half", good[:60], BAD, ""),
        ("data_crc", patched(good, len(good) - 16, b"\0\0\0\0"), BAD, ""),
        ("header_crc", SIGNATURE + header(16, 12, crc=1) + good[33:], BAD, ""),
        ("two_headers", inserted(good, 33, header(8, 8)), BAD, ""),
        ("no_header", SIGNATURE + good[33:], BAD, ""),
        ("signature", SIGNATURE, BAD, ""),
        ("data_bomb", png(data=bomb()), GOOD, ""),
        ("text_bomb", png(between=chunk(b"zTXt", b"a\0\0" + bomb())), GOOD, ""),
        ("icc_bomb", png(between=chunk(b"iCCP", b"a\0\0" + bomb())), GOOD, ""),
        ("index_past_palette", palette(7), GOOD, ""),
        ("no_palette", SIGNATURE + header(16, 12, colour=3) + chunk(b"IDAT", rows(16, 12, 1)) + END,
         BAD, ""),
        ("width_2_31", SIGNATURE + header((1 << 31) - 1, 1) + good[33:], BAD, "limit"),
        ("width_0", SIGNATURE + header(0, 12) + good[33:], BAD, ""),
        ("too_large", SIGNATURE + header(60000, 60000) + good[33:], BAD, ""),
        ("claims_100m", SIGNATURE + header(10000, 10000) + good[33:], BAD, ""),
        ("depth_3", SIGNATURE + header(16, 12, depth=3) + good[33:], BAD, ""),
        ("colour_5", SIGNATURE + header(16, 12, colour=5) + good[33:], BAD, ""),
        ("zlib_dictionary", png(data=dictionary()), BAD, ""),
        ("animated", inserted(good, 33, chunk(b"acTL", struct.pack(">II", 1, 0))), GOOD, ""),
        ("chunk_4g", patched(good, data - 4, b"\xff\xff\xff\xff"), BAD, ""),
        ("not_zlib", png(data=b"garbage"), BAD, ""),
        ("1x1", png(1, 1), GOOD, ""), ("1x65500", png(1, 65500), GOOD, ""),
        ("1x65501", png(1, 65501), BAD, "limit"),
    ]
    return [Case(f"{title}.png", data, code, words) for title, data, code, words in files]


def path_cases():
    return [
        Case("directory.png", os.mkdir, BAD, "directory"),
        Case("fifo.png", os.mkfifo, BAD, "regular|neither"),
        Case("zero.png", lambda path: os.symlink("/dev/zero", path), BAD, "regular|neither"),
        Case("loop.png", lambda path: os.symlink(os.path.basename(path), path), BAD, ""),
        Case("dangling.png", lambda path: os.symlink("nothing", path), BAD, ""),
        Case("huge.png", huge, BAD, "limit"),
    ]


def huge(path):
    with open(path, "wb") as file:
        file.truncate(5 << 30)  # a hole: it takes no room


def image_cases():
    return jpeg_cases() + png_cases() + path_cases()
