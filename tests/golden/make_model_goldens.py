"""Stage-by-stage goldens of whole models with seeded weights on the photos of tests/photos.

    python make_model_goldens.py [CASE...]      writes model_<case>.safetensors beside this script
    python make_model_goldens.py --check [...]  compares float32 with float64 instead, writes nothing

Cases: v1, v2 (torchvision's maskrcnn_resnet50_fpn and _fpn_v2), c5, c5_compat (c5_reference.py).
README.md lists the tensors. Of a big map only 64 elements are kept: element j of the samples is element
    (j * 2654435761 + 12345) mod numel
of the torch tensor (NCHW order).
"""

import pathlib
import sys
import zlib

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from pycocotools import mask as coco_mask
from safetensors.numpy import save_file

import c5_reference
import seeded_weights
import torchvision_reference

HERE = pathlib.Path(__file__).parent
PHOTOS = sorted((HERE.parent / "photos").glob("*.jpg"))
CASES = ("v1", "v2", "c5", "c5_compat")
NUM_SAMPLES = 64
NUM_MASK_PROBS = 6
NUM_MASKS = 30  # kept as RLE; of all detections the areas are


def sample(tensor):
    flat = tensor.contiguous().reshape(-1)
    index = [(j * 2654435761 + 12345) % len(flat) for j in range(NUM_SAMPLES)]
    return flat[index].numpy()


def rle(mask):
    return coco_mask.encode(np.asfortranarray(mask.numpy().astype(np.uint8)))["counts"]


def record(prefix, pixels, result):
    """The golden tensors of one photo."""
    golden = {
        "image_size": np.array(pixels.shape[:2], np.int64),
        "pixels_crc32": np.array([zlib.crc32(pixels.tobytes())], np.int64),
        "resized_size": np.array(result["resized"], np.int64),
        "padded_size": np.array(result["padded"], np.int64),
    }
    for name, value in result["maps"].items():
        golden[f"{name}/shape"] = np.array(value.shape, np.int64)
        golden[f"{name}/samples"] = sample(value)
        wide = value.double()
        golden[f"{name}/mean_absmax"] = np.array([wide.mean(), wide.abs().max()])
    for name in ("proposals", "proposal_scores", "network_boxes", "boxes", "labels", "scores"):
        golden[name] = result[name].numpy()
    golden["mask_probs"] = result["mask_probs"][:NUM_MASK_PROBS].numpy()
    masks = result["masks"] > 0.5
    strings = [rle(mask) for mask in masks[:NUM_MASKS]]
    golden["masks/area"] = masks.flatten(1).sum(1).numpy()
    golden["masks/rle"] = np.frombuffer(b"".join(strings), np.uint8)
    golden["masks/rle_end"] = np.cumsum([len(s) for s in strings], dtype=np.int64)
    return {f"{prefix}/{name}": np.ascontiguousarray(value) for name, value in golden.items()}


def read_photo(path):
    pixels = np.array(Image.open(path).convert("RGB"))
    return pixels, torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def runner(case):
    """A function image -> intermediates, and the model behind it."""
    if case.startswith("c5"):
        model = seeded_weights.load_seeded(c5_reference.MaskRcnnC5())
        return model, lambda image: model(image, compat=case == "c5_compat")
    build = torchvision_reference.build_v1 if case == "v1" else torchvision_reference.build_v2
    model = seeded_weights.load_seeded(build())
    return model, lambda image: torchvision_reference.run(model, image)


def make(case):
    _, run = runner(case)
    tensors = {}
    for path in PHOTOS:
        pixels, image = read_photo(path)
        result = run(image)
        tensors |= record(path.stem, pixels, result)
        scores = result["scores"]
        print(
            f"{case} {path.stem}: {len(result['proposals'])} proposals, {len(scores)} detections of "
            f"{len(result['labels'].unique())} classes, scores {scores.max():.3f}..{scores.min():.3f}",
            flush=True,
        )
        assert len(scores) >= 20, "too few detections to compare"
    metadata = {
        "case": case, "seed": str(seeded_weights.SEED), "mask_threshold": "> 0.5",
        "samples": "element (j * 2654435761 + 12345) mod numel, NCHW",
        "torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__,
    }
    save_file(tensors, HERE / f"model_{case}.safetensors", metadata)


def check(case):
    """How far float32 lies from float64: what a comparison of two float32 programs can ask for."""
    model, run = runner(case)
    for path in PHOTOS:
        image = read_photo(path)[1]
        single = run(image)
        model.double()
        double = run(image.double())
        model.float()
        line = f"{case} {path.stem}: {len(single['scores'])} and {len(double['scores'])} detections"
        size = max(image.shape[-2:])
        gap = torch.cdist(single["boxes"].double(), double["boxes"], p=float("inf"))
        gap += 10.0 * size * (single["labels"][:, None] != double["labels"])
        nearest = gap.min(dim=1)
        missing = nearest.values > 0.05
        in_order = torch.equal(single["labels"], double["labels"])
        scores = (single["scores"] - double["scores"][nearest.indices]).abs()[~missing]
        proposals = torch.cdist(single["proposals"].double(), double["proposals"], p=float("inf"))
        stray = int((proposals.min(dim=1).values > 0.05).sum())
        steps = -single["scores"].diff() if case != "c5_compat" else torch.ones(1)
        print(
            f"{line}, {int(missing.sum())} without partner, same label order {in_order}, box "
            f"{nearest.values[~missing].max():.1e} px, score {scores.max():.1e}, smallest score step "
            f"{steps.min():.1e}, stray proposals {stray} of {len(single['proposals'])}",
            flush=True,
        )


def main():
    arguments = sys.argv[1:]
    work = check if "--check" in arguments else make
    for case in [a for a in arguments if a != "--check"] or CASES:
        work(case)


if __name__ == "__main__":
    main()
