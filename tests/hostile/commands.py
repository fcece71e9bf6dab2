"""commands.py TOOLS_DIR [--commands N] [--configs N] [--seed N]: wrong command lines and settings.

Draws command lines of every program, each wrong in one way, and configuration files of `train`. Each
must end with 2 within a second of processor time, in at most 25 lines that name the wrong word and,
where one is near, the right one, and write nothing. Files that are missing or directories end with
the code of what they should have been, and with what to do about it.
"""
import argparse
import os
import random
import re
import sys
import tempfile

from program import Failures, Programs

LONG = 1 << 20
# What no number may be. The last is as long as an argument can be made with a margin.
NO_NUMBERS = ["99999999999999999999999", "-99999999999999999999999", "nan", "NaN", "inf", "", " ",
              "Zürich", "12x", "1e", "0x1g", "--", "1,5", "\udcff\udcfe", "7" * 100_000]
NO_WORDS = ["", "Größe", "\udcff", "w" * 100_000, "0"]

PROGRAMS = [
    (["infer", "--weights", "absent.pth", "absent.jpg"],
     ["--score", "--nms", "--max-detections", "--batch", "--threads"],
     {"--model": "maskrcnn_resnet50_fpn", "--precision": "fp32", "--exif": "ignore",
      "--progress": "auto"}, ["--polygons", "--strict", "--quiet", "--overlay", "--classes"]),
    (["evaluate", "--results", "absent.json", "--ground-truth", "absent.json"],
     ["--bootstrap", "--seed", "--threads"],
     {"--numpy-sum": "blocks", "--iou-type": "bbox"},
     ["--per-class", "--strict-pycocotools", "--skip-unknown", "--html", "--csv"]),
    (["convert", "absent.pth", "made.safetensors"], ["--classes", "--bn-eps"],
     {"--model": "maskrcnn_resnet50_fpn"}, ["--partial", "--no-crc", "--globals", "--to-pth-names"]),
    (["dataset", "shapes", "--out", "made"],
     ["--images", "--val-images", "--size", "--width", "--seed", "--max-objects"], {}, ["--force"]),
    (["dataset", "check", "absent.json", "--no-images"], ["--show"], {}, ["--strict", "--split"]),
    (["dataset", "show", "absent.json", "--out", "made"], ["--count", "--columns"], {},
     ["--images", "--classes", "--compat"]),
    (["bench", "ops"], ["--repeat"], {}, ["--json"]),
    (["bench", "infer"], ["--repeat", "--batch"], {}, ["--image", "--json", "--device"]),
    (["train", "--data", "shapes", "--out", "made"],
     ["--epochs", "--steps", "--batch", "--lr", "--save-every", "--accumulate", "--loader-threads",
      "--threads", "--max-time"],
     {"--model": "maskrcnn_resnet18_fpn", "--preset": "torchvision_v1", "--precision": "fp32"},
     ["--resume", "--config", "--quiet", "--eval-every"]),
]


def misspelled(word, generator):
    at = generator.randrange(3, len(word))
    kind = generator.randrange(3)
    if kind == 0:
        return word[:at] + generator.choice("xqz") + word[at:]
    if kind == 1:
        return word[:at] + generator.choice("xqz") + word[at + 1:]
    return word[:at] + word[at + 1:]


def near(name):
    return re.escape(f"did you mean '{name}'")


def shown(value):
    """How a message may show a value: at least how it begins."""
    return re.escape(value[:20])


def wrong_command(generator):
    """The words, and what the message must say."""
    base, numbers, choices, others = generator.choice(PROGRAMS)
    kind = generator.randrange(7)
    if kind == 0 or (kind == 2 and not choices):
        name = generator.choice(numbers + list(choices) + others)
        wrong = misspelled(name, generator)
        if wrong in numbers + list(choices) + others or name.startswith(wrong):
            wrong = name + "q"
        return [*base, wrong, "1"], shown(wrong), near(name) if len(name) > 6 else ""
    if kind in (1, 3):
        name = generator.choice(numbers)
        value = generator.choice(NO_NUMBERS)
        form = [name, value] if generator.randrange(2) else [f"{name}={value}"]
        return [*base, *form], f"{name}|{name[2:].replace('-', '_')}|{shown(value)}", ""
    if kind == 2:
        name, value = generator.choice(list(choices.items()))
        wrong = misspelled(value, generator) if generator.randrange(2) else generator.choice(NO_WORDS)
        return [*base, name, wrong], f"{name}|{name[2:]}|{shown(wrong)}", (
            near(value) if len(wrong) > 6 and wrong.isascii() and len(wrong) < 50 else "")
    if kind == 4:
        name = generator.choice(numbers + list(choices))
        return [*base, name], name, ""
    extra = generator.choice(["--größe", "--\udcff", "-ü", "---", "-", "--=", "--=1", "--" + "x" * 1000,
                              "--" + "y" * 100_000, "-Z", "--help-me-please"])
    if kind == 5 or base[0] == "infer":
        extra = extra if extra not in ("-", "---") else "--no-such-thing"  # names of files
        return [*base, extra], shown(extra.split("=")[0] or extra), ""
    surplus = [f"surplus{i}" for i in range(generator.randrange(3, 200))]
    return [*base, *surplus], "surplus0|surplus1", ""


def wrong_config(generator, keys):
    """The text, and what the message must say."""
    key, value = generator.choice(keys)
    good = "\n".join(f"{k} = {v}" for k, v in keys if k not in (key, "config") and v)
    kind = generator.randrange(8)
    if kind == 0:
        wrong = misspelled(key, generator) if len(key) > 4 else key + "q"
        if wrong in dict(keys) or key.startswith(wrong):
            wrong = key + "q"
        return f"{wrong} = {value}\n", shown(wrong), near(key) if len(key) > 6 else ""
    if kind == 1:
        number = generator.choice([k for k, v in keys if re.fullmatch(r"\d+|\d*\.\d+", v)])
        wrong = generator.choice([v for v in NO_NUMBERS if v.strip()])
        return f"{number} = {wrong}\n", number, ""
    line = {2: f"{key} {value or 1}", 3: f'{key} = "{value}', 4: f'{key} = "a" b', 5: "\0\1\2\3",
            6: "k" * LONG, 7: f"{key} = {value}\n{key} = {value}"}[kind]
    return f"{good[:2000] if kind > 7 else ''}{line}\n", "line (1|2)", ""


class Trial:
    def __init__(self, tools, directory):
        self.programs, self.directory, self.failures = Programs(tools), directory, Failures()
        self.before = self.files()

    def files(self):
        return sorted(os.path.join(d, f) for d, folders, files in os.walk(self.directory)
                      for f in folders + files)

    def expect(self, words, code, *patterns):
        result = self.programs.run([w.encode(errors="surrogateescape") if i else w
                                    for i, w in enumerate(words)], self.directory)
        shown_words = " ".join(w[:40] for w in words)
        at = f"{shown_words}: {result.code}: {result.text[:400]}"
        check = self.failures.check
        check(result.code == code, f"exit {code} wanted: {at}")
        for pattern in patterns:
            check(re.search(pattern, result.text), f"'{pattern}' wanted: {at}")
        check(result.text.count("\n") <= 25, f"more than 25 lines: {at}")
        check(len(result.text) < 5000, f"{len(result.text)} bytes of message: {at}")
        if self.programs.plain:
            check(result.seconds < 1, f"{result.seconds:.2f} s: {at}")
        check(self.files() == self.before, f"something was written: {at}")


def missing_files(trial):
    trial.before = trial.files()
    for path, why in (("absent", "No such file"), ("folder", "directory"), ("a/b", "No such file")):
        for code, words in ((4, ["infer", "--weights", path, "picture.png"]),
                            (3, ["evaluate", "--results", path, "--ground-truth", path]),
                            (4, ["convert", "--list", path]),
                            (2, ["train", "--config", path])):
            trial.expect(words, code, re.escape(path), why)
            if why.startswith("No"):
                trial.expect(words, code, "check the path")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools")
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--configs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="mrcnn_commands_") as directory:
        os.mkdir(os.path.join(directory, "folder"))
        with open(os.path.join(directory, "picture.png"), "wb"):
            pass
        trial = Trial(options.tools, directory)
        missing_files(trial)
        if not trial.programs.plain:  # a process under sanitizers is slow to start
            options.commands, options.configs = options.commands // 10, options.configs // 10
        for _ in range(options.commands):
            words, *patterns = wrong_command(generator)
            trial.expect(words, 2, *patterns)
        listed = trial.programs.run(["train", "--settings"], directory).text
        keys = re.findall(r"^  (\w+) +.*default (\S*)\)$", listed, re.M)
        for _ in range(options.configs):
            text, *patterns = wrong_config(generator, keys)
            with open(os.path.join(directory, "config.txt"), "wb") as file:
                file.write(text.encode(errors="surrogateescape"))
            trial.before = trial.files()
            trial.expect(["train", "--config", "config.txt", "--out", "made"], 2, "config.txt",
                         *patterns)
        return trial.failures.finish()


sys.exit(main())
