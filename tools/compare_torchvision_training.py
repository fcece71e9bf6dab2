#!/usr/bin/env python3
"""Times this project's training steps against torch and torchvision: same weights, images and objects.

    python tools/compare_torchvision_training.py --bench build/cpu/tools/bench [--models v1 c5] [--repeat 5]

Needs torch, torchvision and numpy (development only). The images are
the noise and the rectangles of `bench train` (tools/bench/train_bench.h), the learning rate is 0, so
every step does the same work. Programs take turns (ours, torch NCHW, torch channels-last, ours, ...),
each in fp32 with the same number of threads and an unmeasured first step; medians of all repetitions are
compared. A step is: targets and images in, forward, backward, SGD with momentum and weight decay.

The samplers of both draw by one rule, so the five losses must agree: within 1e-3, because proposals of
nearly equal scores may come in another order, and then others are drawn. Exits 1 if they do not.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))

MODELS = {
    "v1": "maskrcnn_resnet50_fpn",
    "v2": "maskrcnn_resnet50_fpn_v2",
    "c5": "maskrcnn_resnet50_c5",
}
NUM_CLASSES = 91
LOSS_NAMES = ("rpn_objectness", "rpn_box", "roi_classifier", "roi_box", "roi_mask")
MAX_LOSS_DIFFERENCE = 1e-3  # relative
# tools/bench: seeds of the image, the objects and the samplers; RandomPurpose::kTest.
IMAGE_SEED, OBJECT_SEED, SAMPLER_SEED = 1, 2, 5
TEST_PURPOSE = 5
WORDS_PER_OBJECT = 8


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/cpu/tools/bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["v1", "c5"])
    parser.add_argument("--height", type=int, default=800)
    parser.add_argument("--width", type=int, default=1333)
    parser.add_argument("--batch", type=int, default=1, help="images per step")
    parser.add_argument("--objects", type=int, default=8, help="objects per image")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5, help="measured steps per turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each program")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here")
    return parser.parse_args()


# The thread count must stand in the environment before torch starts its pool.
ARGUMENTS = parse_arguments()
os.environ["OMP_NUM_THREADS"] = str(ARGUMENTS.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402

import c5_reference  # noqa: E402
import seeded_weights  # noqa: E402
import torchvision_reference  # noqa: E402
import training_reference  # noqa: E402


def noise_image():
    """noise_image of tools/bench/infer_bench.h as [3, H, W] in 0..1."""
    shape = (ARGUMENTS.height, ARGUMENTS.width, 3)
    words = training_reference.philox_words(
        IMAGE_SEED, TEST_PURPOSE, 0, np.arange(np.prod(shape), dtype=np.uint64)
    )
    pixels = torch.from_numpy((words >> np.uint64(24)).astype(np.float32).reshape(shape))
    return pixels.permute(2, 0, 1).contiguous() / 255


def rectangles(image):
    """The objects of tools/bench/train_bench.h: noise_training_image."""
    height, width, objects = ARGUMENTS.height, ARGUMENTS.width, ARGUMENTS.objects
    index = WORDS_PER_OBJECT * (objects * image + np.arange(objects))[:, None] + np.arange(5)
    words = training_reference.philox_words(OBJECT_SEED, TEST_PURPOSE, 0, index).astype(np.int64)
    boxes = np.zeros((objects, 4), np.float32)
    masks = np.zeros((objects, height, width), np.uint8)
    for g, w in enumerate(words):
        rows, columns = max(height >> (1 + w[0] % 4), 1), max(width >> (1 + w[1] % 4), 1)
        top, left = w[2] % (height - rows + 1), w[3] % (width - columns + 1)
        boxes[g] = left, top, left + columns, top + rows
        masks[g, top : top + rows, left : left + columns] = 1
    return {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.from_numpy(1 + words[:, 4] % (NUM_CLASSES - 1)),
        "masks": torch.from_numpy(masks),
    }


class TorchSteps:
    """Training steps of a reference model; all but the first two stages of the body are trained."""

    def __init__(self, case):
        builders = {
            "v1": (torchvision_reference.build_v1, training_reference.TorchvisionTraining),
            "v2": (torchvision_reference.build_v2, training_reference.TorchvisionTraining),
            "c5": (c5_reference.MaskRcnnC5, training_reference.C5Training),
        }
        build, training = builders[case]
        self.model = seeded_weights.load_seeded(build())
        frozen = ("backbone.body.conv1", "backbone.body.bn1", "backbone.body.layer1")
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(not name.startswith(frozen))
        self.training = training(self.model, {
            "min_size": min(ARGUMENTS.height, ARGUMENTS.width),
            "max_size": max(ARGUMENTS.height, ARGUMENTS.width),
            "pre_nms": 2000, "post_nms": 2000, "rpn_samples": 256, "roi_samples": 512,
        })
        self.images = [noise_image()] * ARGUMENTS.batch
        self.targets = [rectangles(image) for image in range(ARGUMENTS.batch)]

    def step(self, optimizer):
        """(milliseconds by stage, losses)."""
        marks = [time.perf_counter()]
        losses = self.training.losses(self.images, self.targets, SAMPLER_SEED, 0)
        marks.append(time.perf_counter())
        sum(losses).backward()
        marks.append(time.perf_counter())
        optimizer.step()
        optimizer.zero_grad()
        marks.append(time.perf_counter())
        times = [(end - begin) * 1e3 for begin, end in zip(marks, marks[1:])]
        stages = dict(zip(("forward", "backward", "update"), times), total=sum(times))
        return stages, [float(loss.detach()) for loss in losses]

    def turn(self, memory_format):
        """One unmeasured step, then ([milliseconds by stage], losses) of the others."""
        self.model.to(memory_format=memory_format)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=0.0, momentum=0.9, weight_decay=1e-4)
        _, losses = self.step(optimizer)
        return [self.step(optimizer)[0] for _ in range(ARGUMENTS.repeat)], losses


def run_bench(case):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [str(ARGUMENTS.bench), "train", "--model", MODELS[case], "--device", "cpu"]
        for name in ("height", "width", "batch", "objects", "repeat", "threads"):
            command += [f"--{name}", str(getattr(ARGUMENTS, name))]
        subprocess.run(command + ["--json", report.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(open(report.name))


def ours_by_step(report):
    """The samples of `bench train` as [milliseconds by stage]; making the batch is part of forward."""
    rows = {row["stage"]: row["samples_ms"] for row in report["stages"]}
    rows["forward"] = [a + b for a, b in zip(rows.pop("batch"), rows["forward"])]
    return [dict(zip(rows, values)) for values in zip(*rows.values())]


def print_table(steps):
    medians = {
        name: {stage: statistics.median(step[stage] for step in rows) for stage in rows[0]}
        for name, rows in steps.items()
    }
    print(f"  {'':<20} {'forward':>9} {'backward':>9} {'update':>9} {'total ms':>9} {'least':>9}")
    for name, row in medians.items():
        cells = " ".join(f"{row[s]:9.1f}" for s in ("forward", "backward", "update", "total"))
        least = min(step["total"] for step in steps[name])
        ratio = row["total"] / medians["ours"]["total"]
        print(f"  {name:<20} {cells} {least:9.1f}  {ratio:5.2f}x ours")
    return medians


def compare_model(case):
    torch_steps = TorchSteps(case)
    formats = {
        "torch NCHW": torch.contiguous_format, "torch channels-last": torch.channels_last,
    }
    steps = {name: [] for name in ("ours", *formats)}
    losses = {}
    for _ in range(ARGUMENTS.rounds):
        ours = run_bench(case)
        steps["ours"] += ours_by_step(ours)
        losses["ours"] = [ours["losses"][name] for name in LOSS_NAMES]
        for name, memory_format in formats.items():
            rows, losses[name] = torch_steps.turn(memory_format)
            steps[name] += rows

    print(
        f"\n{MODELS[case]} at {ARGUMENTS.height}x{ARGUMENTS.width}, batch {ARGUMENTS.batch}, "
        f"{ARGUMENTS.objects} objects, fp32, {ARGUMENTS.threads} threads"
    )
    medians = print_table(steps)
    print(f"  peak of our tensors {ours['peak_tensor_bytes'] / 2**20:.0f} MiB")
    differences = {}
    for k, loss in enumerate(LOSS_NAMES):
        values = [losses[name][k] for name in ("ours", *formats)]
        differences[loss] = abs(values[0] - values[1]) / abs(values[1])
        cells = " ".join(f"{value:12.6f}" for value in values)
        print(f"  {loss:<20} {cells}  ours differs by {differences[loss]:.1e}")
    agree = all(difference <= MAX_LOSS_DIFFERENCE for difference in differences.values())
    if not agree:
        print(f"  THE LOSSES DIFFER by more than {MAX_LOSS_DIFFERENCE:g}")
    return {"steps_ms": steps, "medians_ms": medians, "losses": losses, "agree": agree}


def main():
    torch.set_num_threads(ARGUMENTS.threads)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, load {os.getloadavg()[0]}")
    report = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    for case in ARGUMENTS.models:
        report[MODELS[case]] = compare_model(case)
    if ARGUMENTS.json:
        ARGUMENTS.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all(report[MODELS[case]]["agree"] for case in ARGUMENTS.models) else 1


if __name__ == "__main__":
    sys.exit(main())
