"""Makes the picture goldens beside this file: odd JPEG and PNG files, and expected.txt with what
Pillow decodes from each.

    python make_images.py --jpeg-variants DIR [--cjpeg PROGRAM]

DIR holds JPEG files made from COCO val2017 image 000000005001 (CC BY 2.0, see CREDIT.md); they are
copied. cjpeg (libjpeg-turbo) makes the files with unusual chroma sampling, libturbojpeg the YCCK
one. The rest comes from a formula, so that the files are our own.
"""
import argparse
import ctypes
import hashlib
import io
import pathlib
import shutil
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
COPIED = ["rgb_444_q90", "rgb_422_q90", "rgb_420_q90", "rgb_420_progressive", "gray_q90",
          "gray_progressive", "cmyk", "rgb_optimized_huffman", "rgb_q30", "restart_markers",
          "size_1x1", "size_8x8", "size_17x9_420"]


def pattern(height, width, channels, depth):
    """Smooth in one direction, restless in the other, different in every channel."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    return ((x * 7 + y * y * 3 + c * 41 + x * y * (c + 1)) * 257 + 13 * x) % (1 << depth)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack_rows(samples, depth):
    """samples [H, W, C] as filtered PNG rows (filter 0)."""
    height, width, channels = samples.shape
    rows = b""
    for row in samples.reshape(height, width * channels):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            packed = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + packed
    return rows


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
         (1, 0, 2, 1)]


def png(samples, depth, colour, interlaced=False, before=(), after=()):
    height, width, _ = samples.shape
    if interlaced:
        parts = [samples[y::dy, x::dx] for y, x, dy, dx in ADAM7]
        rows = b"".join(pack_rows(p, depth) for p in parts if p.size)
    else:
        rows = pack_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in before) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + b"".join(chunk(*c) for c in after) +
            chunk(b"IEND", b""))


def exif(orientation, order=">"):
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def make_pngs():
    palette = bytes(int(v) for v in pattern(200, 3, 1, 8).flatten())
    bits = {"gray": 0, "rgb": 2, "la": 4, "rgba": 6}
    channels = {"gray": 1, "rgb": 3, "la": 2, "rgba": 4}
    files = {}
    for kind, depth in [("gray", 1), ("gray", 2), ("gray", 4), ("gray", 8), ("gray", 16),
                        ("rgb", 8), ("rgb", 16), ("la", 8), ("la", 16), ("rgba", 8),
                        ("rgba", 16)]:
        samples = pattern(13, 21, channels[kind], depth)
        files[f"{kind}{depth}"] = png(samples, depth, bits[kind])
    for depth in (1, 4, 8):
        samples = pattern(13, 21, 1, depth) % 200
        files[f"palette{depth}"] = png(samples, depth, 3, before=[(b"PLTE", palette[:3 << depth])])
    files["palette8_trns"] = png(pattern(13, 21, 1, 8) % 200, 8, 3,
                                 before=[(b"PLTE", palette), (b"tRNS", bytes(range(0, 200, 3)))])
    files["rgb8_trns"] = png(pattern(13, 21, 3, 8), 8, 2, before=[(b"tRNS", bytes(6))])
    files["rgb8_gamma"] = png(pattern(13, 21, 3, 8), 8, 2,
                              before=[(b"gAMA", struct.pack(">I", 100000)),
                                      (b"tEXt", b"Comment\0no profile, no text matters")])
    files["rgb8_interlaced"] = png(pattern(13, 21, 3, 8), 8, 2, interlaced=True)
    files["palette4_interlaced"] = png(pattern(13, 21, 1, 4), 4, 3, interlaced=True,
                                       before=[(b"PLTE", palette[:48])])
    files["rgba16_interlaced_1x1"] = png(pattern(1, 1, 4, 16), 16, 6, interlaced=True)
    files["rgb8_exif8"] = png(pattern(13, 21, 3, 8), 8, 2, before=[(b"eXIf", exif(8))])
    files["rgb8_exif6_late"] = png(pattern(13, 21, 3, 8), 8, 2, after=[(b"eXIf", exif(6, "<"))])
    for name, data in files.items():
        (HERE / f"{name}.png").write_bytes(data)


def make_ycck():
    turbo = ctypes.CDLL("libturbojpeg.so.0")
    turbo.tjInitCompress.restype = ctypes.c_void_p
    cmyk = np.ascontiguousarray(pattern(18, 22, 4, 8), dtype=np.uint8)
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    kCmyk, k420 = 11, 2
    rc = turbo.tjCompress2(ctypes.c_void_p(turbo.tjInitCompress()), cmyk.ctypes.data_as(
        ctypes.c_void_p), 22, 0, 18, kCmyk, ctypes.byref(out), ctypes.byref(size), k420, 90, 0)
    assert rc == 0
    (HERE / "ycck_420.jpg").write_bytes(ctypes.string_at(out, size.value))


def make_jpegs(variants, cjpeg):
    for name in COPIED:
        shutil.copyfile(variants / f"{name}.jpg", HERE / f"{name}.jpg")
    shutil.copyfile(variants / "unsupported_arithmetic.jpg", HERE / "arithmetic.jpg")
    make_ycck()
    small = (HERE / "size_17x9_420.jpg").read_bytes()
    for orientation in range(1, 9):
        body = b"Exif\0\0" + exif(orientation, "<" if orientation % 2 else ">")
        segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
        (HERE / f"orientation{orientation}.jpg").write_bytes(small[:2] + segment + small[2:])
    if cjpeg:
        ppm = io.BytesIO()
        Image.fromarray(pattern(19, 35, 3, 8).astype(np.uint8)).save(ppm, "PPM")
        for name, options in {"sampling_410": ["-sample", "4x2"], "sampling_311": ["-sample", "3x1"],
                              "sampling_440": ["-sample", "1x2"],
                              "sampling_mixed": ["-sample", "2x2,2x1,1x2"],
                              "rgb_stored": ["-rgb"]}.items():
            (HERE / f"{name}.jpg").write_bytes(
                subprocess.run([cjpeg, *options], input=ppm.getvalue(), capture_output=True,
                               check=True).stdout)


def decode(path):
    image = Image.open(path)
    if image.mode in ("I", "I;16"):  # 16-bit gray: Pillow clips to 255, the project takes >> 8
        pixels = np.repeat((np.asarray(image).astype(np.int64) >> 8)[..., None], 3, axis=2)
        image = Image.fromarray(pixels.astype(np.uint8))
    turned = ImageOps.exif_transpose(image)
    stored = np.asarray(image.convert("RGB"))
    upright = np.asarray(turned.convert("RGB"))
    return stored, upright


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jpeg-variants", type=pathlib.Path, required=True)
    parser.add_argument("--cjpeg")
    options = parser.parse_args()
    make_jpegs(options.jpeg_variants, options.cjpeg)
    make_pngs()
    with open(HERE / "expected.txt", "w") as out:
        out.write("# file, stored height and width, SHA-256 of the RGB bytes as stored, and upright\n")
        for path in sorted([*HERE.glob("*.jpg"), *HERE.glob("*.png")]):
            stored, upright = decode(path)
            digests = [hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()
                       for a in (stored, upright)]
            out.write(f"{path.name} {stored.shape[0]} {stored.shape[1]} {digests[0]} {digests[1]}\n")


if __name__ == "__main__":
    main()
