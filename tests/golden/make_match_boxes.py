"""Labels of torchvision's Matcher for random boxes.

    python make_match_boxes.py

writes match_boxes.safetensors beside this script. Every object overlaps some ref: where none does,
match_boxes differs on purpose.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

HERE = pathlib.Path(__file__).parent
REFS = 700
OBJECTS = 9


def random_boxes(rng, count, step):
    """Corners are multiples of `step`, so that overlaps tie."""
    first = rng.integers(0, 80 // step, (count, 2)) * step
    size = rng.integers(1, 60 // step, (count, 2)) * step
    return torch.from_numpy(np.concatenate([first, first + size], 1).astype(np.float32))


def main():
    rng = np.random.default_rng(7)
    tensors = {}
    for name, step in (("ties", 10), ("fine", 1)):
        refs, objects = random_boxes(rng, REFS, step), random_boxes(rng, OBJECTS, step)
        iou = box_iou(objects, refs)
        assert (iou.max(1).values > 0).all()
        tensors[f"{name}/refs"] = refs.numpy()
        tensors[f"{name}/gt_boxes"] = objects.numpy()
        for rule, matcher in (
            ("rpn", Matcher(0.7, 0.3, allow_low_quality_matches=True)),
            ("box_head", Matcher(0.5, 0.5, allow_low_quality_matches=False)),
        ):
            labels = matcher(iou).to(torch.int32)
            tensors[f"{name}/{rule}"] = labels.numpy()
            print(name, rule, np.unique(labels.numpy(), return_counts=True))
    save_file(tensors, HERE / "match_boxes.safetensors")


if __name__ == "__main__":
    main()
