"""Writes the golden files of the image and map operations, from torch and torchvision.

Run it in a Python with torch and torchvision; the files beside it are its output:
    python make_image_ops.py
sizes.txt   resized sizes of many image sizes by each rule
resize.txt  tiny images, normalised, resized, padded
maps.txt    max pooling, nearest upsampling + addition, softmax, sigmoid
"""
import os
import pathlib
import random

# The kernels without fused multiply-add. With it, torch's bilinear source coordinates depend on the
# number of threads and on the size of the image.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.models.detection.transform import GeneralizedRCNNTransform, _resize_image_and_masks

FOLDER = pathlib.Path(__file__).parent
MEAN = [0.485, 0.456, 0.406]
STD = [0.229, 0.224, 0.225]


def write_tensor(out, name, tensor):
    kinds = {torch.float32: "f32", torch.float64: "f64", torch.int64: "i64", torch.uint8: "u8"}
    digits = {torch.float32: "%.9g", torch.float64: "%.17g"}.get(tensor.dtype, "%d")
    out.write(f"tensor {name} {kinds[tensor.dtype]} {'x'.join(map(str, tensor.shape))}\n")
    rows = tensor.reshape(-1, tensor.shape[-1]).tolist()
    for row in rows:
        out.write(" ".join(digits % value for value in row) + "\n")


def original_size(h, w):
    scale = min(800 / min(h, w), 1333 / max(h, w))
    return round(h * scale), round(w * scale)


def torchvision_size(h, w):
    """What torchvision makes of an image of that size, by running its transform."""
    image, _ = _resize_image_and_masks(torch.empty(1, h, w), 800, 1333)
    return tuple(image.shape[-2:])


def float32_size(h, w):
    """torchvision 0.14's expressions: the scale is computed on f32 tensors."""
    shape = torch.tensor((h, w))
    short = torch.min(shape).to(torch.float32)
    long = torch.max(shape).to(torch.float32)
    scale = torch.min(float(800) / short, float(1333) / long).item()
    return int(np.floor(float(h) * scale)), int(np.floor(float(w) * scale))


def make_sizes():
    """Rows: h, w, then the size by the original, double and float32 rules."""
    random.seed(1)
    sizes = [(427, 640), (480, 640), (640, 480), (426, 640), (375, 500), (500, 375), (333, 500), (612, 612),
             (100, 1000), (1080, 1920), (64, 64), (1, 1), (3000, 4000), (800, 1333), (1333, 800), (799, 1332)]
    differing = []
    while len(differing) < 40:
        h, w = random.randint(100, 2000), random.randint(100, 2000)
        rules = {original_size(h, w), torchvision_size(h, w), float32_size(h, w)}
        if len(rules) > 1:
            differing.append((h, w))
    sizes += differing + [(random.randint(20, 4000), random.randint(20, 4000)) for _ in range(40)]
    # torch refuses sides that vanish; those are ours to define.
    sizes = [size for size in sizes if min(original_size(*size)) > 0]
    rows = [[h, w, *original_size(h, w), *torchvision_size(h, w), *float32_size(h, w)] for h, w in sizes]
    with open(FOLDER / "sizes.txt", "w") as out:
        write_tensor(out, "sizes", torch.tensor(rows))


def make_resize():
    generator = torch.Generator().manual_seed(2)
    cases = {"up": (7, 9, 20, 26), "down": (23, 31, 10, 13), "same": (5, 6, 5, 6), "one_pixel": (1, 1, 3, 4),
             "mixed": (4, 30, 9, 11),
             "wide": (2, 213, 3, 355)}
    with open(FOLDER / "resize.txt", "w") as out:
        for name, (h, w, new_h, new_w) in cases.items():
            image = torch.randint(0, 256, (h, w, 3), generator=generator).to(torch.uint8)
            transform = GeneralizedRCNNTransform(1, 1, MEAN, STD)
            normalized = transform.normalize(image.permute(2, 0, 1).float().div(255))
            resized = F.interpolate(normalized[None], size=(new_h, new_w), mode="bilinear", align_corners=False)
            batch = transform.batch_images([resized[0]])
            write_tensor(out, name + ".image", image)
            write_tensor(out, name + ".output", batch.permute(0, 2, 3, 1)[:, :new_h, :new_w].contiguous())


def channels_last(tensor):
    return tensor.permute(0, 2, 3, 1).contiguous()


def make_maps():
    generator = torch.Generator().manual_seed(3)
    with open(FOLDER / "maps.txt", "w") as out:
        pooled = torch.randn(2, 5, 7, 6, generator=generator)
        pooled[0, 2, 3, 3] = float("nan")
        pooled[1, 1, 0, 0] = float("-inf")
        write_tensor(out, "pool.input", channels_last(pooled))
        write_tensor(out, "pool.kernel3_stride2_padding1", channels_last(F.max_pool2d(pooled, 3, 2, 1)))
        write_tensor(out, "pool.kernel1_stride2", channels_last(F.max_pool2d(pooled, 1, 2)))
        write_tensor(out, "pool.kernel2_stride1", channels_last(F.max_pool2d(pooled, 2, 1)))
        coarse = torch.randn(1, 3, 3, 5, generator=generator)
        for size in ((6, 10), (5, 9), (7, 13), (2, 3)):
            fine = torch.randn(1, 3, *size, generator=generator)
            name = f"upsample.{size[0]}x{size[1]}"
            write_tensor(out, name + ".fine", channels_last(fine))
            write_tensor(out, name + ".output",
                         channels_last(fine + F.interpolate(coarse, size=size, mode="nearest")))
        write_tensor(out, "upsample.coarse", channels_last(coarse))
        logits = torch.randn(6, 21, generator=generator) * 8
        logits[0, 4] = 100
        logits[1] = -200
        write_tensor(out, "logits", logits)
        write_tensor(out, "softmax", torch.softmax(logits, -1))
        write_tensor(out, "sigmoid", torch.sigmoid(logits))
        write_tensor(out, "relu", torch.relu(logits))


make_sizes()
make_resize()
make_maps()
