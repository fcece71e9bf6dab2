"""Goldens of COCO's evaluation: random sets and what pycocotools says of them.

    python make_coco_evaluation.py     writes coco_evaluation.safetensors beside this script

Sets have crowds, equal scores, areas on the limits of the ranges, images and classes without objects or
detections, and more than 100 detections of a class in an image. Ids of objects start at 1.
"""

import contextlib
import io
import pathlib

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.numpy import save_file

from coco_numbers import class_averages

HERE = pathlib.Path(__file__).parent
SETS = 12
SIZE = (120, 140)  # height, width; some objects are large


def blob(rng, box):
    x, y, w, h = box
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = ((columns + 0.5 - x - w / 2) / max(w / 2, 0.5)) ** 2 + (
        (rows + 0.5 - y - h / 2) / max(h / 2, 0.5)) ** 2 < 1
    inside &= rng.random(SIZE) > 0.02
    return coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))


def random_box(rng):
    side = rng.choice([8, 32, 60, 96, 110])
    w, h = (side, side) if rng.random() < 0.3 else rng.uniform(2, side, 2)
    return [float(rng.uniform(0, SIZE[1] - w)), float(rng.uniform(0, SIZE[0] - h)), float(w), float(h)]


def random_set(rng, number):
    truths, detections = [], []
    categories, images = [3, 7, 12], list(range(10, 16))
    for image in images:
        for _ in range(rng.integers(0, 6)):
            box = random_box(rng)
            rle = blob(rng, box)
            area = float(rng.choice([1024, 9216])) if rng.random() < 0.2 else float(coco_mask.area(rle))
            truths.append({"id": len(truths) + 1, "image_id": image,
                           "category_id": int(rng.choice(categories[:2] if number % 3 else categories)),
                           "bbox": box, "area": area, "iscrowd": int(rng.random() < 0.15),
                           "segmentation": rle})
        count = 130 if rng.random() < 0.1 and number % 4 == 0 else int(rng.integers(0, 9))
        for _ in range(count):
            near = [t for t in truths if t["image_id"] == image]
            box = random_box(rng)
            category = int(rng.choice(categories))
            if near and rng.random() < 0.7:
                truth = near[rng.integers(len(near))]
                box = [float(v + rng.normal(0, 1.5)) for v in truth["bbox"]]
                box[2:] = [max(v, 1.0) for v in box[2:]]
                category = truth["category_id"]
            detections.append({"image_id": image, "category_id": 3 if count == 130 else category,
                               "bbox": box, "score": float(rng.integers(1, 20)) / 20,
                               "segmentation": blob(rng, box)})
    return categories, images, truths, detections


def expected(categories, images, truths, detections, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i, "height": SIZE[0], "width": SIZE[1]} for i in images],
                        "categories": [{"id": c, "name": str(c)} for c in categories],
                        "annotations": [dict(t) for t in truths]}
        coco.createIndex()
        keep = ("image_id", "category_id", "score", "bbox" if kind == "bbox" else "segmentation")
        results = coco.loadRes([{k: d[k] for k in keep} for d in detections])
        evaluation = COCOeval(coco, results, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats), class_averages(evaluation)


def main():
    rng = np.random.default_rng(20)
    golden = {}
    for number in range(SETS):
        categories, images, truths, detections = random_set(rng, number)
        name = f"set{number}"
        golden[f"{name}/categories"] = np.array(categories, np.int64)
        golden[f"{name}/images"] = np.array(images, np.int64)
        for what, rows in (("truth", truths), ("detection", detections)):
            golden[f"{name}/{what}/image"] = np.array([r["image_id"] for r in rows], np.int64)
            golden[f"{name}/{what}/category"] = np.array([r["category_id"] for r in rows], np.int64)
            golden[f"{name}/{what}/box"] = np.array([r["bbox"] for r in rows], np.float64).reshape(-1, 4)
            counts = [r["segmentation"]["counts"] for r in rows]
            golden[f"{name}/{what}/rle"] = np.frombuffer(b"".join(counts), np.uint8)
            golden[f"{name}/{what}/rle_end"] = np.cumsum([len(c) for c in counts]).astype(np.int64)
        golden[f"{name}/truth/area"] = np.array([t["area"] for t in truths], np.float64)
        golden[f"{name}/truth/crowd"] = np.array([t["iscrowd"] for t in truths], np.int32)
        golden[f"{name}/detection/score"] = np.array([d["score"] for d in detections], np.float64)
        for kind in ("bbox", "segm"):
            stats, classes = expected(categories, images, truths, detections, kind)
            golden[f"{name}/{kind}"], golden[f"{name}/{kind}/classes"] = stats, classes
    save_file(golden, HERE / "coco_evaluation.safetensors")


if __name__ == "__main__":
    main()
