"""Mask targets as torchvision computes them, on whole bitmaps.

    python make_mask_targets.py

writes mask_targets.safetensors beside this script. A mask is mirrored if asked for, resized with
torch's nearest neighbour, cut to the visible part and sampled by torchvision's roi_align with scale
1, adaptive sampling and aligned=False, as models/detection/roi_heads.py does.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from torchvision.ops import roi_align

HERE = pathlib.Path(__file__).parent
SIZE = 28
MASKS = 5  # per image
# Original size, resized size, flip, top and left of the visible part, its size.
IMAGES = [
    ((40, 50), (40, 50), False, (0, 0), (40, 50)),
    ((33, 47), (80, 114), True, (0, 0), (80, 114)),
    ((120, 90), (77, 58), False, (10, 5), (50, 40)),
    ((64, 48), (150, 113), True, (20, 31), (111, 77)),
]


def random_mask(rng, height, width):
    """An ellipse with a hole and a bar, cut by the border now and then."""
    y, x = np.mgrid[0:height, 0:width]
    cy, cx = rng.uniform(0, height), rng.uniform(0, width)
    ry, rx = rng.uniform(0.15, 0.6) * height, rng.uniform(0.15, 0.6) * width
    distance = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2
    mask = (distance < 1) & (distance > rng.uniform(0, 0.4))
    row = rng.integers(0, height)
    mask[row : row + 3, : rng.integers(1, width)] = True
    return mask


def column_runs(mask):
    """Lengths of the runs in column-major order, background first."""
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    bounds = np.concatenate([[0], edges, [flat.size]])
    counts = np.diff(bounds)
    return np.concatenate([[0], counts]) if flat[0] else counts


def random_rois(rng, height, width):
    """Inside, across the border, thin, and far outside or smaller than a pixel."""
    y1, x1 = rng.uniform(-0.1, 0.7) * height, rng.uniform(-0.1, 0.7) * width
    box = [x1, y1, x1 + rng.uniform(0.1, 0.8) * width, y1 + rng.uniform(0.1, 0.8) * height]
    odd = [
        [0, 0, width, height],
        [x1, y1, x1 + 0.3, y1 + 0.2],
        [-20, -30, 1.5, height + 9],
        [width + 3, 2, width + 30, 20],
        [width - 9.5, height - 6.25, width + 0.75, height + 1],
    ]
    return [box, odd[rng.integers(0, len(odd))]]


def main():
    rng = np.random.default_rng(7)
    counts, ends, rois, matched, expected = [], [], [], [], []
    for n, (original, resized, flip, (top, left), (height, width)) in enumerate(IMAGES):
        for g in range(MASKS):
            mask = random_mask(rng, *original)
            counts.append(column_runs(mask))
            ends.append(sum(map(len, counts)))
            bitmap = torch.from_numpy(mask[:, ::-1].copy() if flip else mask).float()[None, None]
            bitmap = torch.nn.functional.interpolate(bitmap, size=resized, mode="nearest")
            bitmap = bitmap[:, :, top : top + height, left : left + width].contiguous()
            boxes = np.array(random_rois(rng, height, width), dtype=np.float32)
            batch = torch.from_numpy(np.concatenate([np.zeros((2, 1), np.float32), boxes], 1))
            target = roi_align(bitmap, batch, SIZE, 1.0, -1, aligned=False)[:, 0]
            expected.append(target.numpy())
            rois.append(np.concatenate([np.full((2, 1), n, np.float32), boxes], 1))
            matched += [g, g]
    images = [[*o, *r, *v, *c, int(f)] for o, r, f, c, v in IMAGES]
    tensors = {
        "counts": np.concatenate(counts).astype(np.int32),
        "ends": np.array(ends, np.int32),  # of each mask's counts
        "images": np.array(images, np.int32),  # original, resized, visible size, top, left, flip
        "rois": np.concatenate(rois),
        "matched_gt": np.array(matched, np.int32),
        "expected": np.concatenate(expected),
    }
    save_file(tensors, HERE / "mask_targets.safetensors")
    print({name: array.shape for name, array in tensors.items()})


if __name__ == "__main__":
    main()
