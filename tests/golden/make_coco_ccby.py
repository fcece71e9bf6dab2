"""Real COCO annotations with simulated detections, and what pycocotools says of them.

    python make_coco_ccby.py FOLDER

FOLDER holds 123 images' annotations (annotations/instances_{train,val}2017.json) and golden/
det_{bbox,segm}_val2017.json. Writes beside this script coco_ccby_objects.safetensors (geometry as it is
in the files, and hashes of the masks' strings) and coco_ccby_detections.safetensors (results for the
images of val2017, and their numbers).
Run it with numpy 2.3 or later.
"""

import json
import pathlib
import sys

import numpy as np
from pycocotools import mask as coco_mask
from safetensors.numpy import save_file

from coco_numbers import coco_numbers
from random_draws import fnv1a64

HERE = pathlib.Path(__file__).parent


def rle_of(annotation, image):
    segmentation = annotation["segmentation"]
    rle = coco_mask.frPyObjects(segmentation, image["height"], image["width"])
    return coco_mask.merge(rle) if isinstance(segmentation, list) else rle


def column(rows, key, dtype):
    return np.array([row[key] for row in rows], dtype)


def objects_of(data):
    """Polygons are hundredths of a pixel in 16 bits, which gives every number back."""
    images = {image["id"]: image for image in data["images"]}
    hundredths, numbers, polygons, runs, num_runs, hashes = [], [], [], [], [], []
    for annotation in data["annotations"]:
        segmentation = annotation["segmentation"]
        is_list = isinstance(segmentation, list)
        polygons.append(len(segmentation) if is_list else 0)
        num_runs.append(0 if is_list else len(segmentation["counts"]))
        runs += [] if is_list else segmentation["counts"]
        for polygon in segmentation if is_list else []:
            packed = np.round(np.array(polygon) * 100).astype(np.uint16)
            assert (packed / 100 == np.array(polygon)).all()
            hundredths.append(packed)
            numbers.append(len(polygon))
        hashes.append(fnv1a64(rle_of(annotation, images[annotation["image_id"]])["counts"]))
    rows = data["annotations"]
    return {
        "image/id": column(data["images"], "id", np.int64),
        "image/height": column(data["images"], "height", np.int64),
        "image/width": column(data["images"], "width", np.int64),
        "id": column(rows, "id", np.int64), "image_id": column(rows, "image_id", np.int64),
        "category": column(rows, "category_id", np.int64), "crowd": column(rows, "iscrowd", np.int32),
        "box": column(rows, "bbox", np.float64), "area": column(rows, "area", np.float64),
        "polygons": np.array(polygons, np.int32), "numbers": np.array(numbers, np.int32),
        "hundredths": np.frombuffer(np.concatenate(hundredths).astype("<u2").tobytes(), np.uint8),
        "runs": np.array(runs, np.int32), "num_runs": np.array(num_runs, np.int32),
        "hash": np.array(hashes, np.int64),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    objects, data = {}, {}
    for split in ("train", "val"):
        data[split] = json.load(open(folder / f"annotations/instances_{split}2017.json"))
        objects |= {f"{split}/{k}": v for k, v in objects_of(data[split]).items()}
    save_file(objects, HERE / "coco_ccby_objects.safetensors")

    boxes, masks = (json.load(open(folder / f"golden/det_{kind}_val2017.json"))
                    for kind in ("bbox", "segm"))
    same = ("image_id", "category_id", "score")
    assert all(a[k] == b[k] for a, b in zip(boxes, masks, strict=True) for k in same)
    strings = [m["segmentation"]["counts"].encode() for m in masks]
    found = {
        "image_id": column(boxes, "image_id", np.int64),
        "category": column(boxes, "category_id", np.int32),
        "score": column(boxes, "score", np.float64), "box": column(boxes, "bbox", np.float64),
        "rle": np.frombuffer(b"".join(strings), np.uint8),
        "rle_end": np.cumsum([len(s) for s in strings]).astype(np.int64),
    }
    categories = sorted(c["id"] for c in data["val"]["categories"])
    found["categories"] = np.array(categories, np.int64)
    for kind, results, field in (("bbox", boxes, "bbox"), ("segm", masks, "segmentation")):
        found[kind], found[f"{kind}/classes"] = coco_numbers(
            data["val"]["images"], categories, data["val"]["annotations"], results, kind, (field,))
    # Made with numpy 1.24, whose means differ in the last bit from those of 2.3 on.
    known = json.load(open(folder / "golden/expected_pycocotools.json"))
    for kind in ("bbox", "segm"):
        found[f"{kind}/numpy_1"] = np.array(known[kind]["stats"], np.float64)
        found[f"{kind}/numpy_2_3"] = found.pop(kind)
        assert np.allclose(found[f"{kind}/numpy_1"], found[f"{kind}/numpy_2_3"], rtol=0, atol=1e-15)
        classes = dict(zip(map(str, categories), found[f"{kind}/classes"]))
        assert all(classes[k] == (-1 if v is None else v)
                   for k, v in known[kind]["per_category_AP"].items())
    save_file(found, HERE / "coco_ccby_detections.safetensors")


if __name__ == "__main__":
    main()
