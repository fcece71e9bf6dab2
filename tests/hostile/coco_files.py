"""Annotation files that lie, name nothing, or ask for too much."""
import json
import os

from case import Case, in_pieces

GOOD, BAD = 0, 3
WIDTH, HEIGHT = 16, 12  # of the picture that lies beside them


def image(**more):
    return {"id": 1, "file_name": "picture.png", "width": WIDTH, "height": HEIGHT, **more}


def annotation(**more):
    return {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 6, 5], "area": 30,
            "iscrowd": 0, "segmentation": [[2, 2, 8, 2, 8, 7, 2, 7]], **more}


def without(values, key):
    return {k: v for k, v in values.items() if k != key}


def whole(images=None, annotations=None, categories=None, **more):
    return {"images": [image()] if images is None else images,
            "annotations": [annotation()] if annotations is None else annotations,
            "categories": [{"id": 1, "name": "thing"}] if categories is None else categories, **more}


def text(*args, **kwargs):
    return json.dumps(whole(*args, **kwargs)).encode()


def with_image(**more):
    return text(images=[image(**more)])


def with_annotation(**more):
    return text(annotations=[annotation(**more)])


def replaced(old, new):
    return text().replace(old.encode(), new if isinstance(new, bytes) else new.encode())


def polygon(*numbers):
    return with_annotation(segmentation=[list(numbers)])


def runs(counts, size=(HEIGHT, WIDTH), iscrowd=1):
    return with_annotation(iscrowd=iscrowd, segmentation={"size": list(size), "counts": counts})


def coco_cases():
    place = r"annotations\[0\]"
    picture = r"images\[0\]"
    files = [
        ("good", text(), GOOD, "0 errors"),
        ("empty", b"", BAD, "empty"),
        ("null", b"null", BAD, ""), ("list", b"[]", BAD, ""), ("text", b'"x"', BAD, ""),
        ("number", b"7", BAD, ""), ("zeros", bytes(1000), BAD, ""),
        ("no_images", json.dumps(without(whole(), "images")).encode(), BAD, "images"),
        ("no_annotations", json.dumps(without(whole(), "annotations")).encode(), BAD, "annotations"),
        ("no_categories", json.dumps(without(whole(), "categories")).encode(), BAD, "categories"),
        ("image_unknown", with_annotation(image_id=7), BAD, place),
        ("category_unknown", with_annotation(category_id=7), BAD, place),
        ("annotation_id_twice", text(annotations=[annotation(), annotation()]), BAD,
         r"annotations\[1\]"),
        ("image_id_twice", text(images=[image(), image()]), BAD, r"images\[1\]"),
        ("category_id_twice", text(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), BAD,
         r"categories\[1\]"),
        ("box_0", with_annotation(bbox=[]), BAD, place),
        ("box_3", with_annotation(bbox=[1, 2, 3]), BAD, place),
        ("box_5", with_annotation(bbox=[1, 2, 3, 4, 5]), BAD, place),
        ("box_nan", replaced("[2, 2, 6, 5]", "[NaN, 2, 6, 5]"), BAD, "byte"),
        ("box_infinity", replaced("[2, 2, 6, 5]", "[2, 2, Infinity, 5]"), BAD, "byte"),
        ("box_1e308", with_annotation(bbox=[1e308, 2, 1e308, 5]), BAD, place),
        ("box_1e999", replaced("[2, 2, 6, 5]", "[1e999, 2, 6, 5]"), BAD, "byte"),
        ("box_negative", with_annotation(bbox=[2, 2, -6, -5]), BAD, place),
        ("box_null", with_annotation(bbox=None), BAD, place),
        ("box_text", with_annotation(bbox=["2", "2", "6", "5"]), BAD, place),
        ("box_missing", text(annotations=[without(annotation(), "bbox")]), BAD, place),
        ("polygon_0", with_annotation(segmentation=[[]]), BAD, place),
        ("polygon_2", polygon(2, 2), BAD, place),
        ("polygon_4", polygon(2, 2, 8, 7), BAD, place),
        ("polygon_5", polygon(2, 2, 8, 7, 1), BAD, place),
        ("polygon_7", polygon(2, 2, 8, 2, 8, 7, 2), BAD, place),
        ("polygon_million", polygon(*([2, 2, 8, 7] * 500_000)), BAD, place),
        ("polygon_1e9", polygon(2, 2, 1e9, 2, 1e9, 1e9), BAD, place),
        ("polygon_1e300", polygon(2, 2, 1e300, 2, 1e300, 1e300), BAD, place),
        ("polygon_equal", polygon(2, 2, 2, 2, 2, 2), BAD, place),
        ("polygon_crossing", polygon(2, 2, 8, 7, 8, 2, 2, 7), GOOD, ""),
        ("polygon_flat", with_annotation(segmentation=[2, 2, 8, 2, 8, 7]), BAD, place),
        ("polygon_text", with_annotation(segmentation=[["2", 2, 8, 2, 8, 7]]), BAD, place),
        ("rle_size", runs([WIDTH * HEIGHT], size=(9, 9)), BAD, place),
        ("rle_short", runs([5, 5]), BAD, place),
        ("rle_long", runs([5, 500]), BAD, place),
        ("rle_garbage", runs("\x01\x02", iscrowd=0), BAD, place),
        ("rle_unterminated", runs("oo", iscrowd=0), BAD, place),
        ("rle_8_groups", runs("o" * 7 + "0", iscrowd=0), BAD, place),
        ("rle_negative", runs([-5, 197]), BAD, place),
        ("rle_float", runs([5.5, 186.5]), BAD, place),
        ("rle_text_list", runs("[5, 187]"), BAD, place),
        ("rle_null", runs(None), BAD, place),
        ("rle_size_0", runs([], size=(0, 0)), BAD, place),
        ("rle_size_2_31", runs([1], size=(1 << 31, 1 << 31)), BAD, place),
        ("rle_overflow", runs([1 << 62, 1 << 62, 1 << 62, 1 << 62]), BAD, place),
        ("width_0", with_image(width=0), BAD, picture),
        ("width_minus", with_image(width=-1), BAD, picture),
        ("width_2_31", with_image(width=1 << 31), BAD, picture),
        ("width_2_70", with_image(width=1 << 70), BAD, ""),
        ("width_missing", text(images=[without(image(), "width")]), BAD, picture),
        ("width_other", with_image(width=WIDTH + 1), BAD, picture),
        ("name_parent", with_image(file_name="../../../../../../etc/passwd"), BAD, picture),
        ("name_absolute", with_image(file_name="/etc/passwd"), BAD, picture),
        ("name_empty", with_image(file_name=""), BAD, picture),
        ("name_5k", with_image(file_name="n" * 5120), BAD, picture),
        ("name_nul", with_image(file_name="a\0b"), BAD, picture),
        ("name_not_utf8", replaced("picture.png", b"\xff\xfe.png"), BAD, ""),
        ("name_number", with_image(file_name=7), BAD, picture),
        ("name_directory", with_image(file_name="."), BAD, picture),
        ("name_fifo", with_image(file_name="fifo.png"), BAD, picture),
        ("name_loop", with_image(file_name="loop.png"), BAD, picture),
        ("name_device", with_image(file_name="zero.png"), BAD, picture),
        ("name_missing", with_image(file_name="absent.png"), BAD, picture),
        ("deep", replaced('"categories"', '"x": ' + "[" * 100_000 + "]" * 100_000 + ', "categories"'),
         BAD, ""),
        ("deep_open", b'{"images":' + b"[" * 100_000, BAD, ""),
        ("category_2_63", text(categories=[{"id": 1 << 63, "name": "a"}]), BAD, r"categories\[0\]"),
        ("category_name_missing", text(categories=[{"id": 1}]), BAD, r"categories\[0\]"),
        ("crowd_2", with_annotation(iscrowd=2), BAD, place),
        ("crowd_text", with_annotation(iscrowd="1"), BAD, place),
        ("crowd_missing", text(annotations=[without(annotation(), "iscrowd")]), GOOD, ""),
        ("bom", b"\xef\xbb\xbf" + text(), BAD, ""),
        ("utf16", text().decode().encode("utf-16"), BAD, ""),
        ("trailing", text() + b"{}", BAD, ""),
        ("comma", replaced('"categories"', ', "categories"'), BAD, "byte"),
        ("key_twice", replaced('"images": [', '"images": [], "images": ['), BAD, ""),
        ("id_0", with_annotation(id=0), BAD, place),
        ("same_file", text(images=[image(), image(id=2)]), BAD, r"images\[1\]"),
        ("annotations_object", text(annotations={"a": 1}), BAD, "annotations"),
        ("annotation_number", text(annotations=[5]), BAD, place),
        ("area_nan", with_annotation(area=-3), BAD, place),
    ]
    cases = [Case(f"{title}.json", data, code, words) for title, data, code, words in files]
    cases.append(Case("million_categories.json", in_pieces(million_categories), GOOD, "", 5.0, 4096,
                      (0, 3, 5)))
    good = text()
    cases += [Case(f"cut_{i:02}.json", good[: len(good) * i // 64], BAD, "byte|empty")
              for i in range(64)]
    return cases


def million_categories():
    before, after = text(categories=[]).split(b'"categories": []')
    yield before + b'"categories": [{"id": 1, "name": "c1"}'
    for i in range(2, 1_000_001):
        yield b',{"id": %d, "name": "c%d"}' % (i, i)
    yield b"]" + after


def plant_names(directory, png):
    """What the file names above lead to."""
    with open(os.path.join(directory, "picture.png"), "wb") as file:
        file.write(png)
    os.mkfifo(os.path.join(directory, "fifo.png"))
    os.symlink("loop.png", os.path.join(directory, "loop.png"))
    os.symlink("/dev/zero", os.path.join(directory, "zero.png"))
