#!/usr/bin/env python3
"""Times this project against torch and torchvision: same weights, same image, same machine, same run.

    python tools/compare_torchvision.py --bench build/cpu/tools/bench [--models v1 c5] [--repeat 5]

Needs torch, torchvision, safetensors, numpy and Pillow (development only). A photo is resized to
1333x800, so every program's network sees 800x1333. Programs take turns (ours, torch NCHW, torch
channels-last, ours, ...), each in fp32 with the same number of threads; medians of all repetitions are
compared, and the detections of the same run must agree. Exits 1 if they do not.
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
HEIGHT, WIDTH = 800, 1333
MAX_BOX_DIFFERENCE = 0.05  # pixels
MAX_SCORE_DIFFERENCE = 1e-4


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/cpu/tools/bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["v1", "c5"])
    parser.add_argument(
        "--photo", type=pathlib.Path, default=ROOT / "tests/photos/000000184324.jpg"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5, help="measured runs per turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each program")
    parser.add_argument("--no-ops", action="store_true", help="whole models only")
    parser.add_argument(
        "--large-paste", action="store_true",
        help="also torchvision's paste of 100 masks at 3000x4000: half a minute and 5 GiB",
    )
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here")
    return parser.parse_args()


# The thread count must stand in the environment before torch starts its pool.
ARGUMENTS = parse_arguments()
os.environ["OMP_NUM_THREADS"] = str(ARGUMENTS.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torchvision.models.detection.roi_heads import paste_masks_in_image  # noqa: E402

import c5_reference  # noqa: E402
import seeded_weights  # noqa: E402
import torchvision_reference  # noqa: E402


def build(case):
    builders = {
        "v1": torchvision_reference.build_v1,
        "v2": torchvision_reference.build_v2,
        "c5": c5_reference.MaskRcnnC5,
    }
    return seeded_weights.load_seeded(builders[case]())


def run_torch(case, model, image):
    with torch.inference_mode():
        return model(image) if case == "c5" else model([image])[0]


def time_torch(case, model, image, repeat):
    run_torch(case, model, image)
    samples = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = run_torch(case, model, image)
        samples.append((time.perf_counter() - start) * 1e3)
    return samples, result


def run_bench(arguments):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [str(ARGUMENTS.bench), *arguments, "--json", report.name],
            check=True, stdout=subprocess.DEVNULL,
        )
        return json.load(open(report.name))


def compare_detections(ours, reference):
    """(number without partner, largest box difference, largest score difference)."""
    left = {
        (int(label), *map(float, box)): float(score)
        for label, box, score in zip(reference["labels"], reference["boxes"], reference["scores"])
    }
    unmatched, box_difference, score_difference = 0, 0.0, 0.0
    for found in ours:
        candidates = [
            (max(abs(a - b) for a, b in zip(key[1:], found["box"])), key)
            for key in left
            if key[0] == found["label"]
        ]
        distance, key = min(candidates, default=(float("inf"), None))
        if distance > MAX_BOX_DIFFERENCE or abs(left[key] - found["score"]) > MAX_SCORE_DIFFERENCE:
            unmatched += 1
            continue
        box_difference = max(box_difference, distance)
        score_difference = max(score_difference, abs(left.pop(key) - found["score"]))
    return unmatched + len(left), box_difference, score_difference


def compare_model(case, folder):
    photo = Image.open(ARGUMENTS.photo).convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR)
    photo_path = folder / "photo.png"
    photo.save(photo_path)
    image = torch.from_numpy(np.array(photo)).permute(2, 0, 1).float() / 255

    model = build(case)
    weights_path = folder / f"{case}.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, weights_path)
    bench = [
        "infer", "--model", MODELS[case], "--weights", str(weights_path), "--image", str(photo_path),
        "--repeat", str(ARGUMENTS.repeat),
    ]
    samples = {"ours": [], "torch NCHW": [], "torch channels-last": []}
    for _ in range(ARGUMENTS.rounds):
        ours = run_bench(bench)
        total = next(row for row in ours["stages"] if row["stage"] == "total")
        samples["ours"] += total["samples_ms"]
        model.to(memory_format=torch.contiguous_format)
        times, reference = time_torch(case, model, image, ARGUMENTS.repeat)
        samples["torch NCHW"] += times
        model.to(memory_format=torch.channels_last)
        times, _ = time_torch(case, model, image, ARGUMENTS.repeat)
        samples["torch channels-last"] += times

    print(f"\n{MODELS[case]} at {HEIGHT}x{WIDTH}, fp32, {ARGUMENTS.threads} threads")
    medians = {name: statistics.median(times) for name, times in samples.items()}
    for name, times in samples.items():
        p90 = sorted(times)[max(0, -(-len(times) * 9 // 10) - 1)]
        ratio = medians[name] / medians["ours"]
        print(f"  {name:<20} median {medians[name]:8.1f} ms  p90 {p90:8.1f} ms  {ratio:5.2f}x ours")
    for row in ours["stages"]:
        print(f"    {row['stage']:<18} median {row['median_ms']:8.1f} ms  (ours)")
    unmatched, box_difference, score_difference = compare_detections(ours["detections"], reference)
    print(
        f"  {len(ours['detections'])} detections, {len(reference['scores'])} of torch: {unmatched} "
        f"without partner, boxes within {box_difference:.1e} px, scores within {score_difference:.1e}"
    )
    return {"samples_ms": samples, "stages": ours["stages"], "unmatched": unmatched}


def random_boxes(count, height, width, min_side, rng):
    """As `bench ops` draws them: log-uniform sides inside the image."""
    w = min_side * (width / min_side) ** rng.random(count)
    h = min_side * (height / min_side) ** rng.random(count)
    x = rng.random(count) * (width - w)
    y = rng.random(count) * (height - h)
    return torch.from_numpy(np.stack((x, y, x + w, y + h), axis=1).astype(np.float32))


def disc_masks(count):
    """As `bench ops` draws them: a soft disc with a wavy border."""
    y, x = np.mgrid[0:28, 0:28] - 13.5
    phase = np.arange(count)[:, None, None]
    radius = 11 + 2 * np.sin(5 * np.arctan2(y, x) + phase)
    probs = 1 / (1 + np.exp(np.hypot(y, x) - radius))
    return torch.from_numpy(probs.astype(np.float32))


def torch_ops():
    """Names of `bench ops` -> the same work in torchvision."""
    rng = np.random.default_rng(0)
    maps = {
        str(level): torch.from_numpy(
            rng.uniform(-1, 1, (1, 256, 200 >> level, 336 >> level)).astype(np.float32)
        )
        for level in range(4)
    }
    pooler = torchvision.ops.MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    rois = random_boxes(1000, 800, 1333, 16, rng)
    boxes = random_boxes(4000, 800, 1333, 16, rng)
    scores = torch.from_numpy(rng.uniform(-1, 1, 4000).astype(np.float32))
    groups = torch.arange(4000) % 90
    ops = {
        "roi_align 1000x7x7x256 over 4 levels": (
            lambda: pooler(maps, [rois], [(800, 1333)]), ARGUMENTS.repeat
        ),
        "nms 4000": (lambda: torchvision.ops.nms(boxes, scores, 0.7), 4 * ARGUMENTS.repeat),
        "nms 4000 in 90 groups": (
            lambda: torchvision.ops.batched_nms(boxes, scores, groups, 0.7), 4 * ARGUMENTS.repeat
        ),
    }
    if ARGUMENTS.large_paste:
        probs = disc_masks(100)[:, None]
        objects = random_boxes(100, 3000, 4000, 100, rng)
        ops["masks to RLE 100x28x28 at 3000x4000"] = (
            lambda: paste_masks_in_image(probs, objects, (3000, 4000)) > 0.5, 1
        )
    return ops


def compare_ops():
    ours = [run_bench(["ops", "--repeat", str(4 * ARGUMENTS.repeat)])]
    theirs = {}
    for name, (op, repeat) in torch_ops().items():
        samples = []
        with torch.inference_mode():
            for _ in range(repeat + (repeat > 1)):
                start = time.perf_counter()
                op()
                samples.append((time.perf_counter() - start) * 1e3)
        theirs[name] = statistics.median(samples[1:] or samples)
    ours.append(run_bench(["ops", "--repeat", str(4 * ARGUMENTS.repeat)]))

    print(f"\nops, {ARGUMENTS.threads} threads (ours: before and after torchvision's)")
    rows = {}
    for first, second in zip(ours[0]["ops"], ours[1]["ops"]):
        name = first["op"]
        mine = (first["median_ms"] + second["median_ms"]) / 2
        line = f"  {name:<38} {first['median_ms']:9.3f} {second['median_ms']:9.3f} ms"
        rows[name] = {"ours_ms": mine}
        if name in theirs:
            rows[name]["torchvision_ms"] = theirs[name]
            line += f"  torchvision {theirs[name]:10.3f} ms  {theirs[name] / mine:6.1f}x"
        print(line)
    return rows


def main():
    torch.set_num_threads(ARGUMENTS.threads)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, load {os.getloadavg()[0]}")
    report = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    with tempfile.TemporaryDirectory() as folder:
        for case in ARGUMENTS.models:
            report[MODELS[case]] = compare_model(case, pathlib.Path(folder))
    if not ARGUMENTS.no_ops:
        report["ops"] = compare_ops()
    if ARGUMENTS.json:
        ARGUMENTS.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if any(report[MODELS[case]]["unmatched"] for case in ARGUMENTS.models) else 0


if __name__ == "__main__":
    sys.exit(main())
