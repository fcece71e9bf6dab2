#!/usr/bin/env python3
"""Writes a COCO instances file as large as COCO's own train2017, for measuring how it loads.

  python3 make_large_annotations.py OUT.json [--images N] [--annotations N] [--seed N]

With the defaults: 118,000 images, 860,000 annotations, 448 MB. Sizes, vertex counts, the number of
decimals and the spacing are those of the real file; the shapes are made up. Needs no package.
"""
import argparse
import json
import math
import random

CROWD_EVERY = 85  # train2017 holds one crowd region in about 85 annotations
CATEGORIES = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]


def polygon(rng, texts, width, height):
    """A star-shaped polygon with two decimals, as text, with its box in hundredths."""
    corners = min(400, max(5, int(rng.lognormvariate(2.68, 0.75))))
    radius = rng.lognormvariate(3.6, 0.9)
    x0, y0 = rng.uniform(0, width), rng.uniform(0, height)
    xs, ys = [], []
    for i in range(corners):
        angle = 2 * math.pi * i / corners
        r = radius * (0.6 + 0.4 * rng.random())
        xs.append(min(100 * width, max(0, int(100 * (x0 + r * math.cos(angle))))))
        ys.append(min(100 * height, max(0, int(100 * (y0 + r * math.sin(angle))))))
    text = ", ".join([texts[x] + ", " + texts[y] for x, y in zip(xs, ys)])
    return text, (min(xs), min(ys), max(xs), max(ys))


def crowd(rng, width, height):
    counts, total = [], 0
    while total < width * height:
        run = min(rng.randint(1, 1200), width * height - total)
        counts.append(run)
        total += run
    return json.dumps({"counts": counts, "size": [height, width]})


def annotation(rng, texts, number, image, size, category):
    width, height = size
    is_crowd = number % CROWD_EVERY == CROWD_EVERY - 1
    parts, box = [], (100 * width, 100 * height, 0, 0)
    for _ in range(1 if rng.random() < 0.92 else 2):
        text, part_box = polygon(rng, texts, width, height)
        parts.append("[" + text + "]")
        box = tuple(f(a, b) for f, a, b in zip((min, min, max, max), box, part_box))
    w, h = box[2] - box[0], box[3] - box[1]
    shape = crowd(rng, width, height) if is_crowd else "[" + ", ".join(parts) + "]"
    bbox = ", ".join(texts[v] for v in (box[0], box[1], w, h))
    return (f'{{"segmentation": {shape}, "area": {0.6 * w * h / 1e4!r}, "iscrowd": {int(is_crowd)}, '
            f'"image_id": {image}, "bbox": [{bbox}], "category_id": {category}, "id": {number + 1}}}')


def main():
    args = argparse.ArgumentParser()
    args.add_argument("out")
    args.add_argument("--images", type=int, default=118000)
    args.add_argument("--annotations", type=int, default=860000)
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    rng = random.Random(args.seed)
    texts = [repr(i / 100) for i in range(64001)]
    sizes = [(640, 480), (480, 640), (640, 427), (500, 375), (427, 640), (640, 640)]
    images = [(5 * i + rng.randint(1, 5), rng.choice(sizes)) for i in range(args.images)]
    with open(args.out, "w") as out:
        out.write('{"info": {"description": "made up", "version": "1.0", "year": 2017}, ')
        out.write('"licenses": [{"id": 4, "name": "Attribution License"}], "images": [')
        for i, (identity, (width, height)) in enumerate(images):
            out.write(", " if i else "")
            name = f"{identity:012d}.jpg"
            out.write(f'{{"license": 4, "file_name": "{name}", "coco_url": '
                      f'"http://images.example.org/train2017/{name}", "height": {height}, '
                      f'"width": {width}, "date_captured": "2013-11-14 16:28:13", '
                      f'"flickr_url": "http://farm.example.org/{name}", "id": {identity}}}')
        out.write('], "annotations": [')
        for number in range(args.annotations):
            image, size = images[rng.randrange(args.images)]
            out.write(", " if number else "")
            out.write(annotation(rng, texts, number, image, size, rng.choice(CATEGORIES)))
        out.write('], "categories": [')
        out.write(", ".join(json.dumps({"supercategory": "thing", "id": c, "name": f"class {c}"})
                            for c in CATEGORIES))
        out.write("]}")


if __name__ == "__main__":
    main()
