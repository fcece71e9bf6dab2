#!/usr/bin/env python3
"""Times `evaluate` against pycocotools, faster-coco-eval and hotcoco: same files, same machine, same run.

    python tools/compare_evaluators.py --evaluate build/cpu/tools/evaluate [--rounds 5]

Needs numpy, pycocotools, faster-coco-eval and hotcoco (development only). A problem of the size of COCO's
val2017 is made from a seed: 5,000 images, 36,800 objects with polygons, as many detections with boxes or
with masks. Every turn is a process of its own; programs take turns. A Python evaluator's clock runs from
its first call (imports done) to its numbers, ours from the start of the program to its end, without its
cache of annotations. The twelve numbers must agree to 1e-14: numpy's versions, and so the means, differ in
the last bits. Prints medians of wall clock and of processor time, and ratios; exits 1 if numbers differ.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
METRICS = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
OTHERS = {  # what each is called as a module: COCO and COCOeval
    "pycocotools": ("pycocotools.coco:COCO", "pycocotools.cocoeval:COCOeval"),
    "faster-coco-eval": ("faster_coco_eval:COCO", "faster_coco_eval:COCOeval_faster"),
    "hotcoco": ("hotcoco:COCO", "hotcoco:COCOeval"),
}
LARGEST_DIFFERENCE = 1e-14
IMAGE_STEP = 10_000_000  # between the image ids of two copies of a problem


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluate", type=pathlib.Path, default=ROOT / "build/cpu/tools/evaluate")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--objects", type=int, default=36800)
    parser.add_argument("--detections", type=int, help="default: as many as objects")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--copies", type=int, default=1,
                        help="the problem so many times over, with ids of their own; 55: two million objects")
    parser.add_argument("--only", nargs="*", choices=OTHERS, default=list(OTHERS),
                        help="these besides ours; nothing behind it: ours alone")
    parser.add_argument("--kinds", nargs="+", choices=["bbox", "segm"], default=["bbox", "segm"])
    parser.add_argument("--folder", type=pathlib.Path, help="where the problem is kept or found")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here")
    parser.add_argument("--turn", nargs=4, metavar=("NAME", "KIND", "TRUTH", "RESULTS"),
                        help=argparse.SUPPRESS)  # one turn of a Python evaluator
    return parser.parse_args()


def outline(rng, box, corners):
    """A bumpy outline inside a box, as an annotator draws them: hundredths of a pixel."""
    import numpy as np

    x, y, w, h = box
    angles = np.sort(rng.random(corners)) * 2 * np.pi
    radius = rng.uniform(0.55, 1.0, corners)
    points = np.stack([x + w / 2 * (1 + radius * np.cos(angles)),
                       y + h / 2 * (1 + radius * np.sin(angles))], 1)
    return np.round(points, 2)


def random_box(rng, image):
    import numpy as np

    side = np.exp(rng.uniform(np.log(8), np.log(400)))
    w = min(side * rng.uniform(0.5, 1.5), image["width"] - 1)
    h = min(side * rng.uniform(0.5, 1.5), image["height"] - 1)
    box = [rng.uniform(0, image["width"] - w), rng.uniform(0, image["height"] - h), w, h]
    return [round(float(v), 2) for v in box]


def write_copies(file, rows, copies, steps):
    """A JSON list of `copies` times the rows, the numbers of each copy `steps` further."""
    for number in range(copies):
        moved = [row | {key: row[key] + number * step for key, step in steps.items()} for row in rows]
        file.write(("[" if number == 0 else ", ") + json.dumps(moved)[1:-1])
    file.write("]")


def make_problem(folder, images, objects, detections, seed, copies):
    import numpy as np
    from pycocotools import mask as coco_mask

    rng = np.random.default_rng(seed)
    categories = [{"id": i + 1 + i // 8, "name": f"class {i}"} for i in range(80)]
    share = 1 / (np.arange(80) + 3.0)  # a few classes have most of the objects
    share /= share.sum()
    image_rows = [{"id": 7 * i + 3, "file_name": f"{i:012d}.jpg",
                   "width": int(rng.choice([640, 500, 480])), "height": int(rng.choice([480, 427, 375]))}
                  for i in range(images)]
    annotations, of_image = [], {}
    for number in range(objects):
        image = image_rows[int(rng.integers(images))]
        box = random_box(rng, image)
        points = outline(rng, box, int(rng.integers(8, 50)))
        rle = coco_mask.frPyObjects([points.ravel().tolist()], image["height"], image["width"])[0]
        crowd = rng.random() < 0.01
        segmentation = [points.ravel().tolist()]
        if crowd:
            flat = coco_mask.decode(rle).T.reshape(-1)
            ends = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
            counts = [0] * int(flat[0]) + np.diff(ends).tolist()
            segmentation = {"size": [image["height"], image["width"]], "counts": counts}
        annotations.append({"id": number + 1, "image_id": image["id"], "bbox": box,
                            "category_id": categories[int(rng.choice(80, p=share))]["id"],
                            "iscrowd": int(crowd), "area": float(coco_mask.area(rle)),
                            "segmentation": segmentation})
        of_image.setdefault(image["id"], []).append((annotations[-1], points))
    boxes, masks = [], []
    for _ in range(detections):
        image = image_rows[int(rng.integers(images))]
        near = of_image.get(image["id"])
        if near and rng.random() < 0.8:
            truth, points = near[int(rng.integers(len(near)))]
            shift = rng.normal(0, 0.06, 2) * truth["bbox"][2:]
            points = points + shift + rng.normal(0, 0.6, points.shape)
            box = [round(float(v), 2) for v in (*(np.array(truth["bbox"][:2]) + shift),
                                                *truth["bbox"][2:])]
            category = truth["category_id"]
        else:
            box = random_box(rng, image)
            points = outline(rng, box, 24)
            category = categories[int(rng.choice(80, p=share))]["id"]
        rle = coco_mask.frPyObjects([points.ravel().tolist()], image["height"], image["width"])[0]
        row = {"image_id": image["id"], "category_id": category,
               "score": round(float(rng.beta(2, 2)), 5)}
        boxes.append(row | {"bbox": box})
        masks.append(row | {"segmentation": {"size": rle["size"], "counts": rle["counts"].decode()}})
    with open(folder / "truth.json", "w") as file:
        file.write('{"images": ')
        write_copies(file, image_rows, copies, {"id": IMAGE_STEP})
        file.write(', "annotations": ')
        write_copies(file, annotations, copies, {"id": objects, "image_id": IMAGE_STEP})
        file.write(f', "categories": {json.dumps(categories)}}}')
    for name, rows in {"bbox": boxes, "segm": masks}.items():
        with open(folder / f"{name}.json", "w") as file:
            write_copies(file, rows, copies, {"image_id": IMAGE_STEP})


def take_turn(name, kind, truth, results):
    """In a process of its own: prints the seconds and the numbers."""
    import contextlib
    import importlib
    import io

    def load(place):
        module, attribute = place.split(":")
        return getattr(importlib.import_module(module), attribute)

    coco_type, evaluator_type = map(load, OTHERS[name])
    start, cpu_start = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_type(truth)
        found = (coco.loadRes if hasattr(coco, "loadRes") else coco.load_res)(results)
        evaluator = evaluator_type(coco, found, kind)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("TURN", json.dumps([seconds, cpu, memory, [float(v) for v in list(evaluator.stats)[:12]]]))


def time_other(name, kind, truth, results, environment):
    command = [sys.executable, __file__, "--turn", name, kind, truth, results]
    output = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    line = next(line for line in output.stdout.splitlines() if line.startswith("TURN "))
    return json.loads(line.removeprefix("TURN "))


def time_ours(program, kind, truth, results, threads, environment):
    with tempfile.TemporaryDirectory() as folder:
        numbers = pathlib.Path(folder) / "numbers.json"
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(program), "--results", results, "--ground-truth", truth, "--iou-type", kind,
             "--threads", str(threads), "--json", str(numbers), "-q"],
            env=environment | {"MRCNN_CACHE_DIR": "/dev/null"})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{program} failed: {os.waitstatus_to_exitcode(status)}")
        values = json.loads(numbers.read_text())[kind]
        return [seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024,
                [values[metric] for metric in METRICS]]


def compare(kind, arguments, folder, environment):
    """A row for each program: medians, ratios to ours, memory, the largest difference to our numbers."""
    truth, results = str(folder / "truth.json"), str(folder / f"{kind}.json")
    turns = {}
    for number in range(arguments.rounds):
        for name in ("ours", *arguments.only):
            if name == "pycocotools" and number >= max(1, arguments.rounds // 2):
                continue  # it is slow, and its ratio is no near thing
            turn = (time_ours(arguments.evaluate, kind, truth, results, arguments.threads, environment)
                    if name == "ours" else time_other(name, kind, truth, results, environment))
            turns.setdefault(name, []).append(turn)
    median = {name: [statistics.median(turn[i] for turn in of_name) for i in (0, 1)]
              for name, of_name in turns.items()}
    numbers = turns["ours"][0][3]
    return [{"name": name, "kind": kind, "seconds": median[name][0], "cpu_seconds": median[name][1],
             "ratio": median[name][0] / median["ours"][0],
             "cpu_ratio": median[name][1] / median["ours"][1],
             "mib": max(turn[2] for turn in of_name), "turns": [turn[:2] for turn in of_name],
             "difference": max(abs(a - b) for turn in of_name for a, b in zip(turn[3], numbers))}
            for name, of_name in turns.items()]


def main():
    arguments = parse_arguments()
    if arguments.turn:
        take_turn(*arguments.turn)
        return 0
    environment = os.environ | {name: str(arguments.threads) for name in
                                ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "segm.json").exists():
            # In a process of its own: a child's peak of memory starts from its parent's.
            maker = multiprocessing.get_context("spawn").Process(
                target=make_problem, args=(folder, arguments.images, arguments.objects,
                                           arguments.detections or arguments.objects, arguments.seed,
                                           arguments.copies))
            maker.start()
            maker.join()
        for kind in arguments.kinds:
            rows += compare(kind, arguments, folder, environment)
    for row in rows:
        print(f"{row['kind']}  {row['name']:17} {row['seconds']:8.3f} s  {row['ratio']:6.1f}x  "
              f"cpu {row['cpu_seconds']:8.3f} s  {row['cpu_ratio']:6.1f}x  "
              f"{row['mib']:6.0f} MiB  difference {row['difference']:.1e}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    return max(row["difference"] for row in rows) > LARGEST_DIFFERENCE


if __name__ == "__main__":
    sys.exit(main())
