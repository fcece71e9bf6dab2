#!/usr/bin/env python3
"""Trains and infers for a long time, each in one process, and watches that memory, threads and descriptors
stay as they are. Writes a report.

usage: soak.py [--minutes N (120)] [--images N (20000)] [--report FILE (standard output)]
Wants the programs built: cmake --build --preset cpu --target programs
Ends with 1 when a program fails, or threads or descriptors grow after the first quarter.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.sysconf("SC_PAGE_SIZE")
SMALL = """--device cpu --model maskrcnn_resnet18_fpn --batch 2 --set min_size=64 --set max_size=64
  --set rpn_samples=32 --set roi_samples=16 --set proposals=50 --set freeze_stages=0 --lr 1e-4
  --set log_every=100 --set val_split= --threads 1 --loader-threads 2 --data shapes
  --set shapes_images=200 --set shapes_val_images=1 --set shapes_size=64 --save-every 200""".split()


def sample(pid):
    """RSS in bytes, threads, descriptors; None when the process is gone."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            rss = int(file.read().split()[1]) * PAGE
        return rss, len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, IndexError):
        return None


def slope_per_hour(times, values):
    """Of the line of least squares."""
    time_mean, value_mean = statistics.fmean(times), statistics.fmean(values)
    over = sum((t - time_mean) * (v - value_mean) for t, v in zip(times, values))
    return 3600 * over / sum((t - time_mean) ** 2 for t in times)


def watch(name, command, seconds, log):
    """Runs a command for at most so long and samples it each second. A line of the report, and whether
    all was well."""
    began = time.monotonic()
    samples = []
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        ended_by_itself = True
        while process.poll() is None:
            now = time.monotonic() - began
            if now > seconds:
                ended_by_itself = False
                process.terminate()
                process.wait()
                break
            found = sample(process.pid)
            if found and found[0] > 0:
                samples.append((now, *found))
            time.sleep(1)
    # At its end a program lets go of things.
    rest = [s for s in samples if samples[-1][0] / 4 < s[0] < samples[-1][0] - 2]
    if len(rest) < 10:
        return f"| {name} | too short to say anything |", False
    times, rss = [s[0] for s in rest], [s[1] for s in rest]
    slope = slope_per_hour(times, rss)
    threads, files = [s[2] for s in rest], [s[3] for s in rest]
    half = len(rest) // 2
    code = process.returncode
    well = code in (0, 143) and max(threads[half:]) <= max(threads[:half]) and \
        max(files[half:]) <= max(files[:half])
    line = (f"| {name} | {samples[-1][0] / 60:.1f} | {len(rest)} | {rss[0] / 2**20:.1f} | {rss[-1] / 2**20:.1f} "
            f"| {max(rss) / 2**20:.1f} | {slope / 2**20:+.2f} ({100 * slope / statistics.fmean(rss):+.2f} %) "
            f"| {min(threads)} to {max(threads)} | {min(files)} to {max(files)} "
            f"| {code}{'' if ended_by_itself else ', stopped after its time'} |")
    return line, well


def last_line(path, word):
    with open(path, errors="replace") as file:
        lines = [line for line in file.read().replace("\r", "\n").split("\n") if word in line]
    return lines[-1].strip() if lines else "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120, help="of each of the two programs, at most")
    parser.add_argument("--images", type=int, default=20000, help="of infer")
    parser.add_argument("--report")
    options = parser.parse_args()
    tools = os.path.join(ROOT, "build", "cpu", "tools")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True,
                            text=True).stdout.strip()
    os.environ["OMP_WAIT_POLICY"] = "passive"
    with tempfile.TemporaryDirectory(prefix="mrcnn_soak_") as folder:
        run = os.path.join(folder, "run")
        train = [os.path.join(tools, "train"), *SMALL, "--out", run, "--steps", "100000000"]
        train_line, train_well = watch("train", train, 60 * options.minutes, os.path.join(folder, "train.log"))
        step = last_line(os.path.join(folder, "train.log"), "step ")
        weights = sorted(name for name in os.listdir(run) if name.startswith("checkpoint-"))[-1]
        photos = os.path.join(folder, "photos")
        os.mkdir(photos)
        originals = sorted(os.listdir(os.path.join(run, "shapes", "train")))
        for i in range(options.images):
            os.symlink(os.path.join(run, "shapes", "train", originals[i % len(originals)]),
                       os.path.join(photos, f"{i:06}.png"))
        infer = [os.path.join(tools, "infer"), "--weights", os.path.join(run, weights), photos, "--threads", "1",
                 "--json", os.path.join(folder, "found.json")]
        infer_line, infer_well = watch("infer", infer, 60 * options.minutes, os.path.join(folder, "infer.log"))
    text = "\n".join([
        "# Memory, threads and descriptors over a long time", "",
        f"- Command: `tests/campaigns/soak.py --minutes {options.minutes:g} --images {options.images}`, "
        f"commit {commit}.",
        f"- Load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
        "- The first quarter of each run is left out, and its last two seconds. RSS in MiB; the slope is that of the "
        "line of least squares.", "",
        "| | minutes | samples | RSS first | last | most | slope an hour | threads | descriptors | exit code |",
        "|---|---|---|---|---|---|---|---|---|---|", train_line, infer_line, "",
        f"The last line of training: `{step}`.", ""])
    if options.report:
        with open(options.report, "w") as file:
            file.write(text)
    else:
        print(text)
    return 0 if train_well and infer_well else 1


if __name__ == "__main__":
    sys.exit(main())
