"""Small facts of torchvision that are easy to get wrong, from its own code.

    python make_traps.py

writes traps.safetensors beside this script; README.md lists the tensors and the findings.
"""

import math
import pathlib
import random

import numpy as np
import torch
import torchvision
from safetensors.numpy import save_file
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import _resize_image_and_masks
from torchvision.ops.poolers import LevelMapper

import c5_reference

HERE = pathlib.Path(__file__).parent
SIZES = ((32,), (64,), (128,), (256,), (512,))
RATIOS = ((0.5, 1.0, 2.0),) * 5


def torchvision_size(height, width, min_size=800, max_size=1333):
    """What the installed torchvision makes of an image; its resize is run, not imitated."""
    image, _ = _resize_image_and_masks(torch.zeros(1, height, width), min_size, max_size)
    return tuple(image.shape[-2:])


def double_rule(height, width):
    """floor(side * scale), scale = min(800 / short, 1333 / long), all in double."""
    scale = min(800 / min(height, width), 1333 / max(height, width))
    return math.floor(height * scale), math.floor(width * scale)


def float_rule(height, width):
    """torchvision 0.14: 800 and 1333 times the float32 reciprocal of the side, then floor in double."""
    one = np.float32(1)
    scale = min(
        np.float32(800) * (one / np.float32(min(height, width))),
        np.float32(1333) * (one / np.float32(max(height, width))),
    )
    return math.floor(height * float(scale)), math.floor(width * float(scale))


def resize_table():
    rng = random.Random(2017)
    sizes = [
        (427, 640), (640, 427), (500, 375), (375, 500), (333, 500), (500, 333), (480, 640), (640, 480),
        (426, 640), (612, 612), (100, 1000), (1000, 100), (1080, 1920), (3000, 4000), (64, 64), (1, 1),
        (1, 2), (800, 1333), (800, 1334), (801, 1333), (1333, 800), (17, 9), (2160, 3840),
    ]
    # Where the two rules part, and ordinary sizes.
    parted = []
    while len(parted) < 60:
        size = (rng.randint(64, 1600), rng.randint(64, 1600))
        if double_rule(*size) != float_rule(*size):
            parted.append(size)
    sizes += parted
    while len(sizes) < 200:
        sizes.append((rng.randint(16, 4200), rng.randint(16, 4200)))
        if max(sizes[-1]) > 12 * min(sizes[-1]):
            sizes.pop()
    return np.array(sizes, np.int64)


def anchors(tensors):
    image = torch.zeros(1, 3, 800, 1088)
    grids = [(200, 272), (100, 136), (50, 68), (25, 34), (13, 17)]
    maps = [torch.zeros(1, 256, *grid) for grid in grids]
    generated = AnchorGenerator(SIZES, RATIOS)(ImageList(image, [(800, 1066)]), maps)[0]
    counts = [3 * rows * columns for rows, columns in grids]
    assert sum(counts) == len(generated) == 217413
    tensors["anchors/padded_size"] = np.array([800, 1088], np.int64)
    tensors["anchors/grids"] = np.array(grids, np.int64)
    for level, part in enumerate(generated.split(counts)):
        columns = grids[level][1]
        last = len(part) - 1
        # The three of the first cell, of its right and lower neighbours, and the last three.
        index = [0, 1, 2, 3, 4, 5, 3 * columns, 3 * columns + 1, 3 * columns + 2, last - 2, last - 1, last]
        tensors[f"anchors/{level}/index"] = np.array(index, np.int64)
        tensors[f"anchors/{level}/boxes"] = part[index].numpy()
    tensors["anchors/c5_grid"] = np.array([25, 34], np.int64)
    tensors["anchors/c5_index"] = np.array([*range(12), 9 * 34, 7649], np.int64)
    tensors["anchors/c5_boxes"] = c5_reference.grid_anchors(25, 34)[
        torch.from_numpy(tensors["anchors/c5_index"])
    ].numpy()


def levels(tensors):
    """Level of a box: floor(4 + log2(sqrt(area) / 224) + 1e-6) clamped to 2..5, stored minus 2."""
    below = lambda x: float(np.nextafter(np.float32(x), np.float32(0)))
    above = lambda x: float(np.nextafter(np.float32(x), np.float32(1e9)))
    boxes = []
    for side in (112.0, 224.0, 448.0):
        for s in (side, below(side), above(side), side - 1e-3, side - 1e-4, side - 2e-5, side + 1e-3):
            boxes.append((0.0, 0.0, s, s))
        boxes.append((0.0, 0.0, side / 2, side * 2))
        boxes.append((0.0, 0.0, side * 4, side / 4))
        boxes.append((3.5, 7.25, 3.5 + side, 7.25 + side))
        boxes.append((0.1, 0.1, 0.1 + side, 0.1 + side))
    boxes += [(0, 0, 0, 0), (5, 5, 5, 9), (0, 0, 1e-3, 1e-3), (0, 0, 1333, 800), (0, 0, 5000, 5000)]
    rng = random.Random(448)
    while len(boxes) < 100:
        x, y = rng.uniform(0, 900), rng.uniform(0, 500)
        boxes.append((x, y, x + 2 ** rng.uniform(3, 9.6), y + 2 ** rng.uniform(3, 9.2)))
    boxes = torch.tensor(boxes, dtype=torch.float32)
    tensors["levels/boxes"] = boxes.numpy()
    tensors["levels/level"] = LevelMapper(2, 5, 224, 4, 1e-6)([boxes]).numpy()


def main():
    tensors = {}
    sizes = resize_table()
    tensors["resize/input"] = sizes
    tensors["resize/torchvision"] = np.array([torchvision_size(*s) for s in sizes.tolist()], np.int64)
    tensors["resize/float_rule"] = np.array([float_rule(*s) for s in sizes.tolist()], np.int64)
    tensors["resize/c5"] = np.array([c5_reference.resized_size(*s) for s in sizes.tolist()], np.int64)
    anchors(tensors)
    levels(tensors)
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    metadata = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    save_file(tensors, HERE / "traps.safetensors", metadata)

    rng = random.Random(29)
    count = agree_double = agree_float = 0
    for _ in range(3000):
        size = (rng.randint(2, 1500), rng.randint(2, 1500))
        if max(size) > 30 * min(size):
            continue
        got = torchvision_size(*size)
        count += 1
        agree_double += got == double_rule(*size)
        agree_float += got == float_rule(*size)
    print(f"{count} random sizes: double rule {agree_double}, float32 rule {agree_float} agree")


if __name__ == "__main__":
    main()
