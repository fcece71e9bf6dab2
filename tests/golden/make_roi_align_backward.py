"""Gradients of torchvision's roi_align for the map.

    python make_roi_align_backward.py

writes roi_align_backward.safetensors beside this script: RoIs, the gradient of the output and, for
each way of sampling, that of the map; channels last.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from torchvision.ops import roi_align

HERE = pathlib.Path(__file__).parent
IMAGES, HEIGHT, WIDTH, CHANNELS = 2, 12, 15, 5
BINS = (3, 4)
SCALE = 0.25  # map pixels per image pixel
ROIS = 14


def random_rois(rng):
    """Inside, across the borders and, at the end, outside, a point and the whole image."""
    size = np.array([WIDTH, HEIGHT]) / SCALE
    first = rng.uniform(-0.2, 0.8, (ROIS, 2)) * size
    last = first + rng.uniform(0.02, 0.9, (ROIS, 2)) * size
    rois = np.concatenate([rng.integers(0, IMAGES, (ROIS, 1)), first, last], 1)
    rois[-3:] = [[0, 200, 200, 210, 230], [1, 20, 21, 20, 21], [1, 0, 0, *size]]
    return rois.astype(np.float32)


def main():
    rng = np.random.default_rng(7)
    rois = torch.from_numpy(random_rois(rng))
    grad_output = torch.from_numpy(rng.uniform(-1, 1, (ROIS, *BINS, CHANNELS)).astype(np.float32))
    tensors = {"rois": rois.numpy(), "grad_output": grad_output.numpy()}
    for aligned in (False, True):
        for ratio in (0, 2, 3):
            feature_map = torch.zeros(IMAGES, CHANNELS, HEIGHT, WIDTH, requires_grad=True)
            output = roi_align(feature_map, rois, BINS, SCALE, ratio, aligned)
            output.backward(grad_output.permute(0, 3, 1, 2))
            gradient = feature_map.grad.permute(0, 2, 3, 1).contiguous().numpy()
            tensors[f"grad_input/aligned{int(aligned)}_ratio{ratio}"] = gradient
    save_file(tensors, HERE / "roi_align_backward.safetensors")
    print({name: array.shape for name, array in tensors.items()})


if __name__ == "__main__":
    main()
