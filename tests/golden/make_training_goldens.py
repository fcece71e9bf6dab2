"""Goldens of training: each reference model with seeded weights on four photos.

    python make_training_goldens.py ANNOTATIONS.json... [--cases CASE...]

writes training_<case>.safetensors for the cases v1, v2, c5. ANNOTATIONS.json are COCO's instances files
that have the photos in them, together. README.md lists the tensors. A gradient is kept as its length and
32 random projections: for signs s_j of +-1,
    projection_j = sum_i s_j(i) * g_i,   s_j(i) = +1 if bit j of hash(name, i) is set, else -1,
with the hash of seeded_weights.py (seed 77, before its last shift) and elements in file order. The mean
square of the differences of two gradients' projections estimates the square of their distance.

Gradients are computed in float64, where rounding decides next to nothing. In float32 a value whose sign
is only rounding lets its whole gradient through or stops it: a share e of such values turns the gradient
by about sqrt(e). So torch's own float32 gradients are kept too, as their distances from the float64 ones,
for several of its ways to compute.
"""

import argparse
import pathlib

import numpy as np
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from safetensors.numpy import save_file

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
STEPS_AT = {"min_size": 160, "max_size": 267, "pre_nms": 300, "post_nms": 100, "rpn_samples": 256,
            "roi_samples": 32}
GRADIENTS_AT = {"min_size": 256, "max_size": 427, "pre_nms": 500, "post_nms": 150, "rpn_samples": 256,
                "roi_samples": 64}
# For float64, whose loops are slow: a window of each photo, not resized, so that both programs compute
# with the same bits from the input on.
WINDOW = (64, 96)
FLOAT64_AT = {"min_size": 64, "max_size": 96, "pre_nms": 100, "post_nms": 40, "rpn_samples": 256,
              "roi_samples": 8}
# (oneDNN, channels last): torch's ways to compute in float32.
WAYS = ((True, False), (True, True), (False, False))
# Steps that change the losses visibly without leaving the range of numbers.
RATES = {"v1": 2e-5, "v2": 1e-4, "c5": 2e-5}
MOMENTUM, DECAY = 0.9, 1e-4


def load(annotations):
    images, targets, golden = [], [], {"photos": np.array(PHOTOS, np.int64)}
    for photo in PHOTOS:
        coco = next(coco for coco in annotations if photo in coco.imgs)
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


def look_through_windows(photos):
    """The photos cut to windows: around the object where most objects are seen."""
    images, targets, windows = [], [], []
    for image, target in zip(*photos[:2]):
        boxes, best = target["boxes"], None
        for x1, y1, x2, y2 in boxes.tolist():
            top, left = (min(max(int((low + high - side) / 2), 0), size - side) for low, high, side, size
                         in zip((y1, x1), (y2, x2), WINDOW, image.shape[1:]))
            corner = torch.tensor([left, top, left, top], dtype=torch.float32)
            cut = (boxes - corner).clamp(min=0).minimum(torch.tensor([WINDOW[1], WINDOW[0]] * 2))
            seen = (cut[:, 2:] > cut[:, :2]).all(1)
            if best is None or seen.sum() > best[2].sum():
                best = (top, left), cut, seen
        (top, left), cut, seen = best
        rows, columns = slice(top, top + WINDOW[0]), slice(left, left + WINDOW[1])
        images.append(image[:, rows, columns])
        targets.append({"boxes": cut[seen], "labels": target["labels"][seen],
                        "masks": target["masks"][seen][:, rows, columns]})
        windows.append((top, left, *WINDOW))
    return images, targets, {"windows": np.array(windows, np.int64)}


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


def make_training(model, case, settings):
    kind = training_reference.C5Training if case == "c5" else training_reference.TorchvisionTraining
    return kind(model, settings)


def take_steps(case, photos, settings, steps):
    """Losses [steps, 5] and the proposals of each step and image."""
    images, targets, _ = photos
    model, trained = build(case)
    training = make_training(model, case, settings)
    optimizer = torch.optim.SGD([p for _, p in trained], RATES[case], MOMENTUM, weight_decay=DECAY)
    losses, proposals = [], []
    for step in range(steps):
        values = training.losses(images, targets, SEED, step)
        losses.append([float(value.detach()) for value in values])
        proposals.append(training.proposals)
        print(case, step, " ".join(f"{value:.6f}" for value in losses[-1]), flush=True)
        if step + 1 < steps:
            optimizer.zero_grad()
            sum(values).backward()
            optimizer.step()
    return np.array(losses), proposals


def gradients(case, photos, settings, proposals, float64=True, onednn=True, channels_last=False):
    """Losses [5] of step 0 and the gradients by name, in float64."""
    images, targets, _ = photos
    model, trained = build(case)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    training = make_training(model, case, settings)
    if float64:
        training.compute_in_float64()
    training.give(proposals)
    torch.backends.mkldnn.enabled = onednn
    losses = training.losses(images, targets, SEED, 0)
    sum(losses).backward()
    torch.backends.mkldnn.enabled = True
    return (np.array([float(loss.detach()) for loss in losses]),
            {name: parameter.grad.double() for name, parameter in trained})


def name_part(part, settings, proposals, arrays):
    golden = {"settings": np.array([settings[key] for key in (
        "min_size", "max_size", "pre_nms", "post_nms", "rpn_samples", "roi_samples")], np.int64)}
    for step, of_step in enumerate(proposals):
        for image, boxes in enumerate(of_step):
            golden[f"step{step}/proposals/{image}"] = boxes.numpy()
    return {f"{part}/{name}": array for name, array in (golden | arrays).items()}


def sketches(exact):
    return {f"gradient/{name}": sketch(name, gradient) for name, gradient in exact.items()}


def run_steps(case, photos):
    losses, proposals = take_steps(case, photos, STEPS_AT, STEPS)
    return name_part("steps", STEPS_AT, proposals, {
        "losses": losses, "optimizer": np.array([RATES[case], MOMENTUM, DECAY])})


def run_float32(case, photos):
    _, proposals = take_steps(case, photos, GRADIENTS_AT, 1)
    losses, exact = gradients(case, photos, GRADIENTS_AT, proposals[0])
    ways = []
    for onednn, channels_last in WAYS:
        _, rounded = gradients(case, photos, GRADIENTS_AT, proposals[0], False, onednn, channels_last)
        distances = {name: float((rounded[name] - gradient).norm() / gradient.norm())
                     for name, gradient in exact.items()}
        ways.append((max(distances.values()), np.median(list(distances.values()))))
        print(f"{case} float32, oneDNN {onednn}, channels last {channels_last}: farthest "
              f"{ways[-1][0]:.2e} {max(distances, key=distances.get)}, median {ways[-1][1]:.2e}", flush=True)
    return name_part("float32", GRADIENTS_AT, proposals,
                     {"losses": losses, "distances": np.array(ways)} | sketches(exact))


def run_float64(case, photos):
    cut = look_through_windows(photos)
    _, proposals = take_steps(case, cut, FLOAT64_AT, 1)
    losses, exact = gradients(case, cut, FLOAT64_AT, proposals[0])
    return name_part("float64", FLOAT64_AT, proposals, cut[2] | {"losses": losses} | sketches(exact))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("annotations", nargs="+", help="instances files that have the photos in them")
    parser.add_argument("--cases", nargs="+", choices=RATES, default=list(RATES))
    options = parser.parse_args()
    torch.set_num_threads(2)
    photos = load([COCO(path) for path in options.annotations])
    for case in options.cases:
        golden = photos[2] | run_steps(case, photos) | run_float32(case, photos) | run_float64(case, photos)
        save_file(golden, HERE / f"training_{case}.safetensors")
