"""What pycocotools says of detections: the twelve numbers and AP of every class."""

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def class_averages(evaluation):
    """For every category in ascending order the mean of its precision, -1 if it has no object."""
    precision = evaluation.eval["precision"]  # T, R, K, A, M
    classes = []
    for k in range(precision.shape[2]):
        values = precision[:, :, k, 0, -1]
        values = values[values > -1]
        classes.append(values.mean() if len(values) else -1.0)
    return np.array(classes, np.float64)


def coco_numbers(images, categories, truths, detections, kind, keep):
    """`keep` names the fields of a result beside its image, class and score. The numbers and
    class_averages()."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "categories": [{"id": c, "name": str(c)} for c in categories],
                        "annotations": [dict(t) for t in truths]}
        coco.createIndex()
        fields = ("image_id", "category_id", "score", *keep)
        results = [{field: d[field] for field in fields} for d in detections]
        if results:
            found = coco.loadRes(results)
        else:  # loadRes wants to look at the first one
            found = COCO()
            found.dataset = {"images": images, "categories": coco.dataset["categories"],
                             "annotations": []}
            found.createIndex()
        evaluation = COCOeval(coco, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats, np.float64), class_averages(evaluation)
