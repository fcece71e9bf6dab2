"""Detections for instances_cut.json, and what pycocotools says of them.

    python make_results.py

results_cut.json: every object found, most of them not quite, some twice or as another class, equal
scores, things that are not there, and more than 100 of a class in an image. Each has a box and a mask,
and the box is not that of the mask.
results_expected.json: pycocotools' numbers and those of every class, of boxes, of masks where the boxes
are taken out first, and of masks as the file is ("strict": sizes are those of the boxes). Means are those
of numpy 2.3 and later, which the test asks for.
"""
import contextlib
import copy
import io
import json
import pathlib

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

HERE = pathlib.Path(__file__).parent
METRICS = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


def detection(rng, image, category, box, mask):
    box = [round(float(v + rng.normal(0, 1.5)), 2) for v in box]
    box[2:] = [max(v, 1.0) for v in box[2:]]
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"image_id": image, "category_id": category, "bbox": box,
            "score": int(rng.integers(1, 40)) / 40,
            "segmentation": {"size": [int(v) for v in rle["size"]], "counts": rle["counts"].decode()}}


def detections(rng, coco):
    categories = sorted(coco.getCatIds())
    found = []
    for annotation in coco.dataset["annotations"]:
        mask = coco.annToMask(annotation)
        for _ in range(2 if rng.random() < 0.2 else 1):
            moved = np.roll(mask, rng.integers(-3, 4, 2), (0, 1))
            category = annotation["category_id"]
            if rng.random() < 0.1:
                category = int(rng.choice(categories))
            found.append(detection(rng, annotation["image_id"], category, annotation["bbox"], moved))
    for k in range(160):  # not there; most in one image and of one class
        image = coco.dataset["images"][0 if k < 120 else int(rng.integers(8))]
        height, width = image["height"], image["width"]
        h, w = int(rng.integers(4, 60)), int(rng.integers(4, 60))
        y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
        mask = np.zeros((height, width), np.uint8)
        mask[y:y + h, x:x + w] = 1
        found.append(detection(rng, image["id"], 1 if k < 120 else int(rng.choice(categories)),
                               [x, y, w, h], mask))
    return [found[i] for i in rng.permutation(len(found))]


def numbers(coco, results, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(results)), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        scores = dict(zip(METRICS, evaluation.stats.tolist()))
        classes = {}
        whole = evaluation.eval
        for k, category in enumerate(evaluation.params.catIds):
            evaluation.eval = dict(whole, precision=whole["precision"][:, :, k:k + 1],
                                   recall=whole["recall"][:, k:k + 1])
            evaluation.summarize()
            classes[str(category)] = dict(zip(METRICS, evaluation.stats.tolist()))
    return {"scores": scores, "classes": classes}


def main():
    rng = np.random.default_rng(5)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(HERE / "instances_cut.json")
    results = detections(rng, coco)
    with open(HERE / "results_cut.json", "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(r) for r in results) + "\n]\n")
    without_boxes = [{k: v for k, v in r.items() if k != "bbox"} for r in results]
    expected = {"bbox": numbers(coco, results, "bbox"), "segm": numbers(coco, without_boxes, "segm"),
                "strict": numbers(coco, results, "segm")}
    with open(HERE / "results_expected.json", "w") as out:
        json.dump(expected, out, indent=0)
        out.write("\n")


if __name__ == "__main__":
    main()
