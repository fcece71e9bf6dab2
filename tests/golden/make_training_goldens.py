"""Goldens of training: ten steps of each reference model with seeded weights on four photos.

    python make_training_goldens.py ANNOTATIONS.json [CASE...]   writes training_<case>.safetensors
    python make_training_goldens.py ANNOTATIONS.json --full CASE    one step at 800 x 1333; prints it
    python make_training_goldens.py ANNOTATIONS.json --noise CASE   only the noise, into existing files

Cases: v1, v2, c5. ANNOTATIONS.json is COCO's instances file with the photos in it. README.md lists the
tensors. A gradient is kept as its length and 32 random projections: for signs s_j of +-1,
    projection_j = sum_i s_j(i) * g_i,   s_j(i) = +1 if bit j of hash(name, i) is set, else -1,
with the hash of seeded_weights.py (seed 77, before its last shift) and elements in file order. The mean
square of the differences of two gradients' projections estimates the square of their distance.

noise/<parameter> is how far the gradient of step 0 moves when torch computes it with another of its own
convolution algorithms (oneDNN's or its native one) and everything else the same: a value whose sign is
only rounding lets its gradient through in one and not in the other.
"""

import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from safetensors.numpy import load_file, save_file

import c5_reference
import seeded_weights
import torchvision_reference
import training_reference

HERE = pathlib.Path(__file__).parent
PHOTOS = (184324, 231460, 343937, 412151)
STEPS = 10
SEED = 5  # of the samplers
SKETCH_SEED = 77
PROJECTIONS = 32
SMALL = {"min_size": 256, "max_size": 427, "pre_nms": 500, "post_nms": 150, "rpn_samples": 256,
         "roi_samples": 64}
FULL = {"min_size": 800, "max_size": 1333, "pre_nms": 2000, "post_nms": 2000, "rpn_samples": 256,
        "roi_samples": 512}
# Steps that change the losses visibly without leaving the range of numbers.
RATES = {"v1": 2e-5, "v2": 3e-4, "c5": 2e-5}
MOMENTUM, DECAY = 0.9, 1e-4


def load(annotations):
    coco = COCO(annotations)
    images, targets, golden = [], [], {"photos": np.array(PHOTOS, np.int64)}
    for photo in PHOTOS:
        pixels = np.array(Image.open(HERE.parent / "photos" / f"{photo:012}.jpg").convert("RGB"))
        objects = [a for a in coco.loadAnns(coco.getAnnIds(photo)) if not a["iscrowd"]]
        boxes = np.array([a["bbox"] for a in objects], np.float32)
        boxes[:, 2:] += boxes[:, :2]
        labels = np.array([a["category_id"] for a in objects], np.int64)
        rles = [coco.annToRLE(a) for a in objects]
        images.append(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255)
        targets.append({"boxes": torch.from_numpy(boxes), "labels": torch.from_numpy(labels),
                        "masks": torch.from_numpy(np.stack([coco_mask.decode(r) for r in rles]))})
        golden[f"{photo}/boxes"] = boxes
        golden[f"{photo}/labels"] = labels.astype(np.int32)
        golden[f"{photo}/rle"] = np.frombuffer(b"".join(r["counts"] for r in rles), np.uint8)
        golden[f"{photo}/rle_end"] = np.cumsum([len(r["counts"]) for r in rles]).astype(np.int32)
    return images, targets, golden


def build(case):
    if case == "c5":
        model = seeded_weights.load_seeded(c5_reference.MaskRcnnC5())
    else:
        model = getattr(torchvision_reference, f"build_{case}")()
        seeded_weights.load_seeded(model)
    trained = []
    for name, parameter in model.named_parameters():
        frozen = name.startswith(("backbone.body.conv1", "backbone.body.bn1", "backbone.body.layer1"))
        parameter.requires_grad_(not frozen)
        if not frozen:
            trained.append((name, parameter))
    return model, trained


def sketch(name, gradient):
    """[length, projections] in float64."""
    flat = gradient.detach().double().flatten().numpy()
    base = np.uint64(seeded_weights.fnv1a64(name)
                     ^ ((SKETCH_SEED * seeded_weights.GOLDEN_RATIO) & seeded_weights.MASK64))
    sums = np.zeros(PROJECTIONS)
    for begin in range(0, len(flat), seeded_weights.CHUNK):
        part = flat[begin : begin + seeded_weights.CHUNK]
        z = np.arange(begin + 1, begin + len(part) + 1, dtype=np.uint64)
        z *= np.uint64(seeded_weights.GOLDEN_RATIO)
        z += base
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        for j in range(PROJECTIONS):
            bits = ((z >> np.uint64(j)) & np.uint64(1)).astype(np.float64)
            sums[j] += 2 * (bits @ part) - part.sum()
    return np.concatenate(([np.linalg.norm(flat)], sums))


def run(case, annotations, settings, steps):
    images, targets, golden = load(annotations)
    model, trained = build(case)
    kind = training_reference.C5Training if case == "c5" else training_reference.TorchvisionTraining
    training = kind(model, settings)
    optimizer = torch.optim.SGD([p for _, p in trained], RATES[case], MOMENTUM, weight_decay=DECAY)
    losses = []
    for step in range(steps):
        values = training.losses(images, targets, SEED, step)
        losses.append([float(value.detach()) for value in values])
        print(case, step, " ".join(f"{value:.6f}" for value in losses[-1]), flush=True)
        for image, boxes in enumerate(training.proposals):
            golden[f"step{step}/proposals/{image}"] = boxes.numpy()
        optimizer.zero_grad()
        sum(values).backward()
        if step == 0:
            for name, parameter in trained:
                golden[f"gradient/{name}"] = sketch(name, parameter.grad)
        optimizer.step()
    golden["losses"] = np.array(losses)
    golden["settings"] = np.array([settings[key] for key in (
        "min_size", "max_size", "pre_nms", "post_nms", "rpn_samples", "roi_samples")], np.int64)
    golden["optimizer"] = np.array([RATES[case], MOMENTUM, DECAY])
    return golden


def noise(case, annotations, settings, golden):
    images, targets, _ = load(annotations)

    def gradients(onednn):
        torch.backends.mkldnn.enabled = onednn
        model, trained = build(case)
        kind = training_reference.C5Training if case == "c5" else training_reference.TorchvisionTraining
        training = kind(model, settings)
        training.give([torch.from_numpy(golden[f"step0/proposals/{i}"]) for i in range(len(images))])
        sum(training.losses(images, targets, SEED, 0)).backward()
        torch.backends.mkldnn.enabled = True
        return {name: parameter.grad.double() for name, parameter in trained}

    usual, other = gradients(True), gradients(False)
    return {f"noise/{name}": np.array([(usual[name] - other[name]).norm() / usual[name].norm()])
            for name in usual}


if __name__ == "__main__":
    torch.set_num_threads(2)
    annotations, *rest = sys.argv[1:]
    if rest[:1] == ["--full"]:
        for case in rest[1:]:
            save_file(run(case, annotations, FULL, 1), f"training_{case}_full.safetensors")
    else:
        only_noise = rest[:1] == ["--noise"]
        for case in rest[only_noise:] or RATES:
            path = str(HERE / f"training_{case}.safetensors")
            golden = load_file(path) if only_noise else run(case, annotations, SMALL, STEPS)
            save_file(golden | noise(case, annotations, SMALL, golden), path)
