#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: small valid files of every kind a reader knows.

    python3 tests/fuzz/make_seeds.py [DIRECTORY]      default: tests/fuzz/corpus

Standard library only, no randomness: the same files every time. They are named seed_*; what else
lies there was found by a campaign.
"""
import hashlib
import io
import json
import pathlib
import pickle
import struct
import sys
import zipfile
import zlib

F32 = struct.pack("<6f", 0, 1, -2, 3.5, 4, 5)


# ---- PyTorch: a pickle written opcode by opcode, because no class of torch is at hand ----
def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value):
    return b"K" + bytes([value]) if value < 256 else b"J" + struct.pack("<i", value)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def sizes(values):
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def storage(kind, key, numel, view=b""):
    return (b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + integer(numel)
            + view + b"tQ")


def tensor(reference, offset=0, shape=(2, 3), strides=(3, 1)):
    return (name("torch._utils", "_rebuild_tensor_v2") + b"(" + reference + integer(offset)
            + sizes(shape) + sizes(strides) + b"\x89" + name("collections", "OrderedDict") + b")RtR")


def parameter(value):
    return (name("torch._utils", "_rebuild_parameter") + b"(" + value + b"\x88"
            + name("collections", "OrderedDict") + b")RtR")


def dictionary(items):
    return b"}(" + b"".join(text(key) + value for key, value in items) + b"u"


def program(body):
    return b"\x80\x02" + body + b"."


def archive(body, data, compression=zipfile.ZIP_STORED, order=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        members = [("a/data.pkl", program(body)), ("a/data/0", data), ("a/version", b"3\n")]
        if order:
            members.insert(1, ("a/byteorder", order))
        for member, content in members:
            info = zipfile.ZipInfo(member)
            info.compress_type = compression
            file.writestr(info, content)
    return out.getvalue()


def zip64(body, data):
    """The same with the sizes of the end record in its ZIP64 twin."""
    plain = archive(body, data)
    end = plain.rindex(b"PK\x05\x06")
    count, size, at = struct.unpack("<HII", plain[end + 10:end + 20])
    large = (b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, at))
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    tail = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return plain[:end] + large + locator + tail


def legacy(body, data, numel):
    magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    facts = program(dictionary([("protocol_version", b"M\xe9\x03"), ("little_endian", b"\x88"),
                                ("type_sizes", dictionary([("short", b"K\x02")]))]))
    keys = program(b"](" + text("0") + b"e")
    return (magic + program(b"M\xe9\x03") + facts + program(body) + keys
            + struct.pack("<q", numel) + data)


def pth_seeds():
    good = tensor(storage("FloatStorage", "0", 6))
    nested = dictionary([("model", dictionary([("w", good), ("module.b", parameter(good))])),
                         ("epoch", integer(3)), ("best", b"G" + struct.pack(">d", 0.5)),
                         ("names", b"](" + text("x") + b"N\x88\x89e")])
    view = tensor(storage("FloatStorage", "0", 6), offset=1, shape=(2, 2), strides=(1, 2))
    yield "zip.pth", archive(dictionary([("w", good)]), F32)
    yield "zip_nested.pth", archive(nested, F32)
    yield "zip_deflated.pth", archive(nested, F32, zipfile.ZIP_DEFLATED)
    yield "zip_big_endian.pth", archive(dictionary([("w", good)]), F32, order=b"big")
    yield "zip_view.pth", archive(dictionary([("w", view)]), F32)
    yield "zip64.pth", zip64(dictionary([("w", good)]), F32)
    v3 = (name("torch._utils", "_rebuild_tensor_v3") + b"(" + storage("UntypedStorage", "0", 24)
          + integer(0) + sizes((3,)) + sizes((1,)) + b"\x89" + name("collections", "OrderedDict")
          + b")R" + name("torch", "uint16") + b"tR")
    yield "zip_untyped.pth", archive(dictionary([("w", v3)]), F32)
    yield "legacy.pth", legacy(dictionary([("w", tensor(storage("FloatStorage", "0", 6, b"N")))]),
                               F32, 6)
    yield "legacy_view.pth", legacy(dictionary([("w", tensor(
        storage("FloatStorage", "0", 6, b"(" + text("v") + integer(2) + integer(4) + b"t"),
        shape=(4,), strides=(1,)))]), F32, 6)


def pkl_seeds():
    def array(code, data, shape, order=b"<"):
        dtype = (name("numpy", "dtype") + b"(" + text(code) + b"\x89\x88tR(K\x03" + text(order.decode())
                 + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        return (name("numpy.core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray")
                + b"K\x00\x85C\x01btR(K\x01" + sizes(shape) + dtype + b"\x89C" + bytes([len(data)])
                + data + b"tb")

    weights = [("w", array("f4", F32, (2, 3))), ("n", array("i8", struct.pack("<q", 7), (1,)))]
    yield "arrays.pkl", program(dictionary(weights))
    yield "model.pkl", program(dictionary([("model", dictionary(weights)),
                                           ("__author__", text("x"))]))
    yield "big_endian.pkl", program(dictionary([("w", array("f4", F32, (6,), b">"))]))
    plain = {"a": [1, -1, 1 << 40, 2.5, None, True], "b": ("x", b"y", bytearray(b"z")), "c": {}}
    for protocol in range(6):
        yield f"protocol{protocol}.pkl", pickle.dumps(plain, protocol)


# ---- safetensors and checkpoints ----
def safetensors(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for key, dtype, shape, content in tensors:
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    body = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(body)) + body + data


def checkpoint():
    tensors = [("w", "F32", [2, 3], F32), ("ema/w", "F32", [2, 3], F32),
               ("optimizer/momentum/w", "F32", [2, 3], F32)]
    facts = {"model": "maskrcnn_resnet50_fpn", "train/version": "1", "train/header_sha256": "0" * 64,
             "train/tensor_sha256": " ".join(hashlib.sha256(t[3]).hexdigest() for t in tensors),
             "train/step": "12", "train/epoch": "1", "train/sampler_position": "2",
             "train/seed": "1", "train/schedule": "", "train/data_fingerprint": "ab",
             "train/config": "lr = 0.1\n", "train/config_hash": "cd", "train/history": "5 a=0.5\n",
             "train/elapsed_s": "1.5", "train/best_metric": "0.5", "train/best_step": "5",
             "train/metric/a": "0.25", "train/extra/bad": "1"}
    text_of = safetensors(tensors, facts)
    length = 8 + struct.unpack("<Q", text_of[:8])[0]
    digest = hashlib.sha256(text_of[:length]).hexdigest().encode()
    return text_of.replace(b"0" * 64, digest)


def safetensors_seeds():
    kinds = [("BOOL", 1), ("U8", 1), ("I8", 1), ("I16", 2), ("U16", 2), ("F16", 2), ("BF16", 2),
             ("I32", 4), ("U32", 4), ("F32", 4), ("F64", 8), ("I64", 8), ("U64", 8)]
    yield "one.safetensors", safetensors([("w", "F32", [2, 3], F32)])
    yield "kinds.safetensors", safetensors(
        [(f"t{i}", kind, [2], bytes(2 * size)) for i, (kind, size) in enumerate(kinds)])
    yield "empty.safetensors", safetensors([("e", "F32", [0, 4], b""), ("s", "U8", [], b"x")],
                                           {"a": "b", "\u00e9\n": "\"\\"})
    yield "none.safetensors", safetensors([])
    yield "extra.safetensors", safetensors([("w", "U8", [1], b"x")]).replace(b'"dtype"', b'"d":{},"dtype"')
    yield "checkpoint.safetensors", checkpoint()


# ---- COCO ----
def coco_seeds():
    def sections(annotations, categories=({"id": 1, "name": "a"}, {"id": 3, "name": "b"})):
        return {"info": {"year": 2017}, "images": [
            {"id": 1, "file_name": "a.jpg", "height": 6, "width": 8},
            {"id": 2, "file_name": "b\u00e9.jpg", "height": 40, "width": 30}],
            "annotations": annotations, "categories": list(categories)}

    def one(number, segmentation, crowd=0, **more):
        return {"id": number, "image_id": 1, "category_id": 3, "bbox": [1, 1.5, 3, 2.25],
                "area": 6.0, "iscrowd": crowd, "segmentation": segmentation, **more}

    polygon = [[1, 1, 1, 3, 4, 3, 4, 1]]
    counts = {"size": [6, 8], "counts": [7, 3, 3, 3, 32]}
    string = {"size": [6, 8], "counts": "73300"}
    yield "polygon.json", json.dumps(sections([one(11, polygon)])).encode()
    yield "polygons.json", json.dumps(sections(
        [one(11, [polygon[0], [0.12, -3.5, 1e3, 2, 5.55, 7.125]]), one(12, [[1, 1, 2, 2, 3, 3, 9]])])).encode()
    yield "counts.json", json.dumps(sections([one(11, counts, 1)])).encode()
    yield "string.json", json.dumps(sections([one(11, {"size": [6, 8], "counts": "P1`0"}, 1),
                                              one(12, string, 1), one(13, None), one(14, [])])).encode()
    yield "ids.json", json.dumps(sections([one(1 << 40, polygon)], [{"id": 3, "name": "b"},
                                                                    {"id": 900, "name": "z"}])).encode()
    yield "blank.json", b' {\n"images" :[ ] ,"annotations":[],"licenses":[[],{}],"categories":[{"id":1,"name":"a"}]} '
    results = [{"image_id": 1, "category_id": 1, "score": 0.98, "bbox": [1, 1, 3, 2]},
               {"image_id": 1, "category_id": 3, "score": 1e-3, "segmentation": counts},
               {"image_id": 2, "category_id": 3, "score": 0.5, "bbox": [1, 1, 3, 2], "segmentation": polygon},
               {"image_id": 9, "category_id": 3, "score": 0.5, "bbox": [1, 1, 3, 2]}]
    yield "results.json", json.dumps(results).encode()
    yield "results_string.json", json.dumps([{"image_id": 1, "category_id": 1, "score": 0.5,
                                              "segmentation": {"size": [6, 8], "counts": "73300"}}]).encode()


# ---- pictures ----
def png(width, height, depth, colour, rows, chunks=()):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(k, d) for k, d in chunks)
            + chunk(b"IDAT", data) + chunk(b"IEND", b""))


PALETTE = (b"PLTE", bytes(range(30)))


def exif(orientation, order):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def image_seeds():
    rows = [bytes((x * 40 + y * 9 + c) % 256 for x in range(4) for c in range(3)) for y in range(3)]
    for orientation in (3, 6, 8):
        yield f"exif{orientation}.png", png(4, 3, 8, 2, rows, [(b"eXIf", exif(orientation, "<"))])
    yield "exif_motorola.png", png(4, 3, 8, 2, rows, [(b"eXIf", exif(5, ">"))])
    yield "palette.png", png(4, 2, 8, 3, [bytes([0, 1, 2, 9])] * 2, [PALETTE])


def voc_seeds():
    yield "indices.png", png(4, 3, 8, 3, [bytes([0, 1, 1, 2]), bytes([0, 255, 2, 2]), bytes(4)], [PALETTE])
    yield "indices4.png", png(4, 1, 4, 3, [bytes([0x01, 0x23])], [PALETTE])
    yield "gray.png", png(4, 1, 2, 0, [bytes([0x1B])])
    objects = "".join(
        f"<object><name>{word}</name><difficult>{d}</difficult><bndbox><xmin>{x}</xmin><ymin>1.5</ymin>"
        f"<xmax>9</xmax><ymax>8</ymax></bndbox><part><name>head</name></part></object>"
        for word, d, x in (("cat", 0, 1), ("dog", 1, 2)))
    body = f"<annotation>\n<size><width>10</width><height>9</height><depth>3</depth></size>{objects}</annotation>"
    yield "annotation.xml", body.encode()
    yield "declared.xml", ('<?xml version="1.0" encoding="ISO-8859-1"?><!-- a --><annotation a="b"><size>'
                           "<width>1</width><height>2</height></size><x>&lt;&#233;</x></annotation>").encode()
    yield "doctype.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'


def config_seeds():
    yield "plain.txt", b"# a comment\nlr = 0.02\nbatch = 4\nmilestones = 8, 11\nmin_size = 640,800\n"
    yield "quoted.txt", b'data = "a #1 \\" \\\\"  # why\nout=b\nschedule = cosine\nmax_time = 1h30m\n'
    yield "preset.txt", b"preset = original\nseed = 18446744073709551615\nflip = 0\nlsj = true\n"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus")
    makers = {"pth": pth_seeds, "pkl": pkl_seeds, "safetensors": safetensors_seeds,
              "coco_json": coco_seeds, "image": image_seeds, "voc": voc_seeds, "config": config_seeds}
    for target, seeds in makers.items():
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, content in seeds():
            (folder / f"seed_{file_name}").write_bytes(content)


if __name__ == "__main__":
    main()
