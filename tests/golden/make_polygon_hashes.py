"""Hashes of polygons rasterised by pycocotools.

    python make_polygon_hashes.py

writes polygon_hashes.safetensors beside this script: of every thousand of 60,000 random polygons, the
hash of COCO's strings, a line each. tests/data/masks/many_polygons_test.cpp draws the same polygons.
"""

import pathlib

import numpy as np
from pycocotools import mask as coco
from safetensors.numpy import save_file

from random_draws import Draws, fnv1a64

HERE = pathlib.Path(__file__).parent
SEED, COUNT, CHUNK = 41, 60000, 1000
# Parts of a pixel: whole ones, fifths and tenths, where the rule's rounding decides, hundredths as
# annotation tools write them, and odd ones.
PARTS = (1, 5, 10, 100, 28672)
# How far polygons reach, in percent of the image: inside, around, outside, far outside.
REACHES = ((45, 100), (80, 160), (95, 800), (100, 40000))


def random_polygon(number):
    draws = Draws(SEED, number)
    sides = [1 + draws.below(59), 1 + draws.below(59)]  # height, width
    corners = 3 + draws.below(9)
    kind = draws.below(5)
    chance = draws.below(100)
    percent = next(percent for below, percent in REACHES if chance < below)
    starts, sizes = [], []
    for side in reversed(sides):
        extent = max(1, side * percent // 100)
        size = 1 + draws.below(extent)
        sizes.append(size)
        starts.append(draws.below(extent + 1) - (extent - side) // 2 - size // 2)
    polygon = []
    for corner in range(corners):
        for axis in range(2):
            part = draws.below(sizes[axis] * PARTS[kind] + 1)
            polygon.append((starts[axis] * PARTS[kind] + part) / PARTS[kind])
        if kind == 0 and corner % 2 == 1:  # an edge along an axis
            polygon[-2] = polygon[-4]
    return polygon, sides


def main():
    hashes = []
    for begin in range(0, COUNT, CHUNK):
        lines = []
        for number in range(begin, begin + CHUNK):
            polygon, (height, width) = random_polygon(number)
            lines.append(coco.frPyObjects([polygon], height, width)[0]["counts"] + b"\n")
        hashes.append(fnv1a64(b"".join(lines)))
    save_file({"hashes": np.array(hashes, np.int64)}, HERE / "polygon_hashes.safetensors")


if __name__ == "__main__":
    main()
