"""Makes the run-length goldens beside this file with pycocotools.

    python make_rle.py

bitmaps.txt: height width, the bitmap row by row as hexadecimal digits of its bits (most significant
first, padded with zero bits), COCO's string, area, box x y w h.
counts.txt: height width, the string, the runs.
"""
import pathlib

import numpy as np
from pycocotools import mask as coco

HERE = pathlib.Path(__file__).parent


def bitmaps(rng, count):
    for i in range(count):
        height, width = rng.integers(1, 21, 2)
        if i % 3 == 0:
            yield rng.random((height, width)) < rng.choice([0.0, 0.02, 0.3, 0.7, 1.0])
        else:  # an ellipse that may leave the picture, with a hole now and then
            y, x = np.mgrid[:height, :width]
            cy, cx = rng.random(2) * [height, width]
            ry, rx = 1 + rng.random(2) * [height, width] / 2
            distance = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2
            yield (distance < 1) & (distance > rng.choice([-1.0, 0.2]))


def main():
    rng = np.random.default_rng(7)
    with open(HERE / "bitmaps.txt", "w") as out:
        for bitmap in bitmaps(rng, 300):
            rle = coco.encode(np.asfortranarray(bitmap.astype(np.uint8)))
            digits = np.packbits(bitmap.flatten()).tobytes().hex()
            box = " ".join(str(int(v)) for v in coco.toBbox(rle))
            out.write(f"{bitmap.shape[0]} {bitmap.shape[1]} {digits} {rle['counts'].decode()} "
                      f"{int(coco.area(rle))} {box}\n")
    with open(HERE / "counts.txt", "w") as out:
        for i in range(60):
            largest = 10 ** int(rng.integers(1, 7))
            counts = [int(v) for v in rng.integers(1, largest + 1, rng.integers(1, 24))]
            if i % 2:
                counts[0] = 0
            height = 1 + i % 5
            counts[-1] += -sum(counts) % height
            width = sum(counts) // height
            if width == 0:
                continue
            rle = coco.frPyObjects({"size": [height, width], "counts": counts}, height, width)
            runs = " ".join(map(str, counts))
            out.write(f"{height} {width} {rle['counts'].decode()} {runs}\n")


if __name__ == "__main__":
    main()
