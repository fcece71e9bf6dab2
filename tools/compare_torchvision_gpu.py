#!/usr/bin/env python3
"""Times this project against torch and torchvision on one GPU: same weights, same image, same run.

    python tools/compare_torchvision_gpu.py --bench build/gpu/tools/bench [--models v1 c5] [--repeat 30]

Needs torch with CUDA, torchvision, safetensors, numpy and Pillow (development only). For each model:
detections of both in fp32 (torch without TF32) must agree; then torch eager in bf16 autocast and
channels-last with cuDNN's benchmark mode, torch.compile of the same, and ours in bf16 take turns. The
image lies on the host as bytes at the start and the detections with 28x28 masks at the end, for both.
Prints Markdown. Exits 1 if detections differ. --device cpu runs torch's part of it without a GPU and
compares nothing, to try the script.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))

import c5_reference  # noqa: E402
import seeded_weights  # noqa: E402
import torchvision_reference  # noqa: E402

MODELS = {
    "v1": ("maskrcnn_resnet50_fpn", torchvision_reference.build_v1),
    "v2": ("maskrcnn_resnet50_fpn_v2", torchvision_reference.build_v2),
    "c5": ("maskrcnn_resnet50_c5", c5_reference.MaskRcnnC5),
}
HEIGHT, WIDTH = 800, 1333
MAX_BOX_DIFFERENCE = 0.05  # pixels
MAX_SCORE_DIFFERENCE = 1e-3


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/gpu/tools/bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["v1", "c5"])
    parser.add_argument(
        "--photo", type=pathlib.Path, default=ROOT / "tests/photos/000000184324.jpg"
    )
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--compile-limit", type=float, default=90, help="seconds for its first run")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    return parser.parse_args()


ARGUMENTS = parse_arguments()
ON_GPU = ARGUMENTS.device == "cuda"


def wait():
    if ON_GPU:
        torch.cuda.synchronize()


def detect(case, model, pixels, amp):
    """Bytes on the host to detections on the host, as `infer` has them."""
    autocast = (
        torch.autocast(ARGUMENTS.device, torch.bfloat16) if amp else contextlib.nullcontext()
    )
    with torch.inference_mode(), autocast:
        image = pixels.to(ARGUMENTS.device).permute(2, 0, 1).float() / 255
        if case == "c5":
            found = [model(image) for _ in range(ARGUMENTS.batch)]
        else:
            found = model([image] * ARGUMENTS.batch)
        return [
            {name: value.cpu() for name, value in one.items() if torch.is_tensor(value)}
            for one in found
        ]


def timed(run):
    samples = []
    for _ in range(ARGUMENTS.repeat):
        wait()
        start = time.perf_counter()
        run()
        wait()
        samples.append((time.perf_counter() - start) * 1e3)
    return samples


def run_bench(arguments):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [str(ARGUMENTS.bench), *arguments, "--json", report.name],
            check=True, stdout=subprocess.DEVNULL,
        )
        return json.load(open(report.name))


def unmatched(ours, reference):
    """Detections of either side without a partner of the other."""
    left = [
        (int(label), list(map(float, box)), float(score))
        for label, box, score in zip(reference["labels"], reference["boxes"], reference["scores"])
    ]
    lonely = 0
    for found in ours:
        partner = min(
            (one for one in left if one[0] == found["label"]),
            key=lambda one: max(abs(a - b) for a, b in zip(one[1], found["box"])),
            default=None,
        )
        if (
            partner is None
            or max(abs(a - b) for a, b in zip(partner[1], found["box"])) > MAX_BOX_DIFFERENCE
            or abs(partner[2] - found["score"]) > MAX_SCORE_DIFFERENCE
        ):
            lonely += 1
        else:
            left.remove(partner)
    return lonely + len(left)


def compiled(case, model, pixels):
    """The compiled model, or None and why not."""
    if ARGUMENTS.no_compile:
        return None, "left out"
    try:
        candidate = torch.compile(model, dynamic=True)
        start = time.perf_counter()
        detect(case, candidate, pixels, amp=True)
        seconds = time.perf_counter() - start
        if seconds > ARGUMENTS.compile_limit:
            return None, f"first run took {seconds:.0f} s"
        for _ in range(2):
            detect(case, candidate, pixels, amp=True)
        return candidate, ""
    except Exception as problem:  # whatever the compiler stumbles over
        return None, f"{type(problem).__name__}: {str(problem).splitlines()[0][:80]}"


def row(name, samples, ours_median, memory=""):
    p90 = sorted(samples)[max(0, -(-len(samples) * 9 // 10) - 1)]
    median = statistics.median(samples)
    ratio = f"{median / ours_median:.2f}" if ours_median else ""
    print(f"| {name} | {median:.2f} | {p90:.2f} | {ratio} | {memory} |")


def compare(case, folder):
    name, build = MODELS[case]
    photo = Image.open(ARGUMENTS.photo).convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR)
    photo_path = folder / "photo.png"
    photo.save(photo_path)
    pixels = torch.from_numpy(np.array(photo))
    model = seeded_weights.load_seeded(build())
    weights = folder / f"{case}.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
    model.to(ARGUMENTS.device)
    bench = [
        "infer", "--model", name, "--weights", str(weights), "--image", str(photo_path),
        "--device", "cuda", "--batch", str(ARGUMENTS.batch),
    ]

    print(f"\n### {name}, {HEIGHT}x{WIDTH}, batch {ARGUMENTS.batch}\n")
    lonely = 0
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    reference = detect(case, model, pixels, amp=False)[0]
    if ON_GPU:
        exact = run_bench([*bench, "--precision", "fp32", "--repeat", "1", "--no-stages"])
        lonely = unmatched(exact["detections"], reference)
        print(
            f"fp32: {len(exact['detections'])} detections, {len(reference['scores'])} of torch, "
            f"{lonely} without partner.\n"
        )

    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    model.to(memory_format=torch.channels_last)
    for _ in range(3):
        detect(case, model, pixels, amp=True)
    fast, why_not = compiled(case, model, pixels)
    if ON_GPU:
        torch.cuda.reset_peak_memory_stats()
    samples = {"torch eager": [], "torch.compile": [], "ours": []}
    report = None
    for _ in range(2):
        samples["torch eager"] += timed(lambda: detect(case, model, pixels, amp=True))
        if fast is not None:
            samples["torch.compile"] += timed(lambda: detect(case, fast, pixels, amp=True))
        if ON_GPU:
            report = run_bench(
                [*bench, "--precision", "bf16", "--repeat", str(ARGUMENTS.repeat), "--warmup", "5",
                 "--no-stages", "--autotune"]
            )
            rows = {one["stage"]: one["samples_ms"] for one in report["stages"]}
            # `total` also encodes the masks at image size on the CPU, which torch's side does not.
            samples["ours"] += [a - b for a, b in zip(rows["total"], rows["encode_masks"])]

    ours_median = statistics.median(samples["ours"]) if samples["ours"] else None
    print("| bf16, host to host | median ms | p90 ms | x ours | peak MiB |\n|---|---:|---:|---:|---:|")
    if ours_median:
        row("ours, graphs", samples["ours"], ours_median, f"{report['peak_tensor_bytes'] / 2**20:.0f}")
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}" if ON_GPU else ""
    row("torch eager, autocast, channels-last", samples["torch eager"], ours_median, memory)
    if fast is None:
        print(f"| torch.compile | {why_not} | | | |")
    else:
        row("torch.compile", samples["torch.compile"], ours_median)
    if report:
        print(
            f"\nOurs: {report['graph_launches']} graph launches with {report['graph_nodes']} nodes, "
            f"{report['launches']} launches beside them, {report['syncs']} waits."
        )
    return lonely


def main():
    name = torch.cuda.get_device_name(0) if ON_GPU else "CPU, a trial of the script"
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, {name}")
    with tempfile.TemporaryDirectory() as folder:
        lonely = sum(compare(case, pathlib.Path(folder)) for case in ARGUMENTS.models)
    return 1 if lonely else 0


if __name__ == "__main__":
    sys.exit(main())
