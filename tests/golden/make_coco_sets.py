"""What pycocotools says of 300 random sets (random_sets.py).

    python make_coco_sets.py

writes coco_sets.safetensors beside this script: of each set the twelve numbers for boxes and for masks,
and the hash of every class's AP, for boxes and for masks.
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file

from coco_numbers import coco_numbers
from random_draws import fnv1a64
from random_sets import CATEGORIES, RandomSet

HERE = pathlib.Path(__file__).parent
SETS = 300


def main():
    values, hashes = [], []
    for number in range(SETS):
        one = RandomSet(number)
        masks = ("segmentation", "bbox") if one.strict else ("segmentation",)
        stats, classes = zip(*(
            coco_numbers(one.images, CATEGORIES, one.truths, one.detections, kind, keep)
            for kind, keep in (("bbox", ("bbox",)), ("segm", masks))))
        values.append(np.concatenate(stats))
        hashes.append(fnv1a64(np.concatenate(classes).tobytes()))
    save_file({"values": np.array(values), "class_hashes": np.array(hashes, np.int64)},
              HERE / "coco_sets.safetensors")


if __name__ == "__main__":
    main()
