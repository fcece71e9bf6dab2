"""Makes rle/polygons.txt, polygons rasterised by pycocotools.

    python make_polygons.py [--count N] [--seed N] [--out FILE] [ANNOTATIONS.json ...]

A line: height, width, the number of polygons, then per polygon its count of numbers and the numbers,
and last COCO's string of their union. Random polygons first; then, of each COCO annotation file
given, every object made of polygons (--limit N: the first N of each file). The committed file is made with
--limit 60 from cuts of instances_train2017.json and instances_val2017.json.
"""
import argparse
import json
import pathlib

import numpy as np
from pycocotools import mask as coco

HERE = pathlib.Path(__file__).parent


def random_polygon(rng, height, width):
    corners = int(rng.integers(3, 12))
    # Inside; around; far outside on some side; or very far.
    spread = rng.choice([1.0, 1.6, 8.0, 400.0], p=[0.45, 0.35, 0.15, 0.05])
    centre = np.array([width, height]) * (0.5 + (spread - 1) * rng.uniform(-0.4, 0.4, 2))
    size = np.array([width, height]) * spread * rng.uniform(0.05, 1.0)
    points = centre + size * (rng.random((corners, 2)) - 0.5)
    kind = rng.integers(0, 5)
    if kind == 0:  # corners on pixel edges, many edges along an axis
        points = np.round(points)
        points[1::2, 0] = points[0::2, 0][: len(points[1::2])]
    elif kind == 1:  # on the fifths of a pixel, where the rounding of the rule decides
        points = np.round(points * 5) / 5
    elif kind == 2:  # on its halves: tenths of a pixel
        points = np.round(points * 10) / 10
    elif kind == 3:  # as annotation tools write them
        points = np.round(points, 2)
    return [float(v) for v in points.flatten()]


def write(out, polygons, height, width):
    rle = coco.merge(coco.frPyObjects(polygons, height, width))
    fields = [str(height), str(width), str(len(polygons))]
    for polygon in polygons:
        fields += [str(len(polygon))] + [repr(v) for v in polygon]
    out.write(" ".join(fields + [rle["counts"].decode()]) + "\n")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("annotations", nargs="*")
    args.add_argument("--count", type=int, default=300)
    args.add_argument("--seed", type=int, default=8)
    args.add_argument("--limit", type=int, default=None)
    args.add_argument("--out", default=HERE / "rle" / "polygons.txt")
    args = args.parse_args()
    rng = np.random.default_rng(args.seed)
    with open(args.out, "w") as out:
        for i in range(args.count):
            height, width = (int(v) for v in rng.integers(1, 60, 2))
            parts = 1 if i % 4 else int(rng.integers(2, 4))
            write(out, [random_polygon(rng, height, width) for _ in range(parts)], height, width)
        for path in args.annotations:
            data = json.load(open(path))
            sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
            objects = [a for a in data["annotations"] if isinstance(a["segmentation"], list)]
            for annotation in objects[: args.limit]:
                write(out, annotation["segmentation"], *sizes[annotation["image_id"]])


if __name__ == "__main__":
    main()
