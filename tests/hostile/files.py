"""files.py TOOLS_DIR [WORD...]: gives some 550 hostile files to the programs that read them.

Each must end with the exit code that its list says, within a second of processor time and 256 MiB,
with a message that names the file and says what is wrong, and leave nothing behind. A build with
sanitizers is slower and larger: there only exit codes and messages are looked at.
With words: only the files whose name has one of them. MRCNN_HOSTILE_DIR=DIR keeps the files there.
"""
import json
import os
import re
import struct
import sys
import tempfile

from case import Case
import coco_files
import image_files
import pickle_files
import safetensors_files
import zip_files
from program import Failures, Programs


class Corpus:
    def __init__(self, tools, directory, words):
        self.programs = Programs(tools)
        self.directory = directory
        self.words = words
        self.failures = Failures()
        self.num_files = 0
        self.most = {"s": (0, ""), "MiB": (0, "")}

    def chosen(self, cases):
        # A million elements take minutes under sanitizers.
        cases = [c for c in cases if self.programs.plain or c.seconds <= 1]
        return [c for c in cases if not self.words or any(w in c.name for w in self.words)]

    def place(self, folder, case):
        path = os.path.join(self.directory, folder, case.name)
        if callable(case.data):
            case.data(path)
        else:
            with open(path, "wb") as file:
                file.write(case.data)
        self.num_files += 1
        return os.path.join(folder, case.name)

    def run(self, case, *words):
        before = sorted(os.listdir(self.directory))
        result = self.programs.run(words, self.directory)
        check, at = self.failures.check, f"{case.name}, {words[0]}"
        bad_report = "runtime error" in result.text or "Sanitizer" in result.text
        check(result.code >= 0 and not bad_report, f"{at}: died, {result.code}: {result.tail()}")
        check(sorted(os.listdir(self.directory)) == before, f"{at}: left something behind")
        if self.programs.plain:
            check(result.seconds <= case.seconds, f"{at}: {result.seconds:.2f} s")
            check(result.mebibytes <= case.mebibytes, f"{at}: {result.mebibytes:.0f} MiB")
            if case.seconds <= 1:
                self.most["s"] = max(self.most["s"], (result.seconds, at))
                self.most["MiB"] = max(self.most["MiB"], (result.mebibytes, at))
        return result

    def expect(self, case, result, code, text):
        at = f"{case.name}: {result.tail()}"
        self.failures.check(result.code == code, f"{code} wanted, got {result.code}: {at}")
        self.failures.check(re.search(text, result.text, re.I), f"'{text}' wanted: {at}")
        if code:
            self.failures.check(case.name in result.text, f"the file is not named: {at}")

    def weights(self):
        cases = (zip_files.zip_cases() + pickle_files.pickle_cases() + pickle_files.tensor_cases() +
                 pickle_files.legacy_cases() + safetensors_files.safetensors_cases())
        picture = self.place("pictures", Case("one.png", image_files.png(), 0, ""))
        for case in self.chosen(cases):
            path = self.place("weights", case)
            self.expect(case, self.run(case, "convert", "--list", path), case.code, case.text)
            if not self.programs.plain:
                continue  # the same reader again, and a process under sanitizers is slow to start
            # None has the tensors of a model, so even the good ones are refused here.
            result = self.run(case, "infer", "--weights", path, picture)
            self.expect(case, result, 4, case.text if case.code else "")

    def annotations(self):
        folder = os.path.join(self.directory, "coco")
        coco_files.plant_names(folder, image_files.png(coco_files.WIDTH, coco_files.HEIGHT))
        for case in self.chosen(coco_files.coco_cases()):
            path = self.place("coco", case)
            result = self.run(case, "dataset", "check", path, "--images", "coco", "--strict")
            self.expect(case, result, case.code, case.text)
            if not self.programs.plain and case.name.startswith("cut"):
                continue
            # What the loader takes is a wider matter: an area that disagrees does not stop it.
            for words in (("dataset", "stats", path, "--strict"),
                          ("evaluate", "--ground-truth", path, "--results", "none.json")):
                result = self.run(case, *words)
                self.failures.check(result.code in case.loads, f"{case.name}: {result.tail()}")

    def pictures(self):
        bad = []
        for case in self.chosen(image_files.image_cases()):
            path = self.place("pictures", case)
            width, height = size_of(case.data)
            listed = Case(case.name + ".json", coco_files.text(images=[coco_files.image(
                file_name=case.name, width=width, height=height)], annotations=[]), 0, "")
            words = ("dataset", "check", self.place("coco", listed), "--images", "pictures")
            self.expect(case, self.run(case, *words), case.code, case.text)
            bad += [(case, path)] if case.code else []
        if not bad:
            return
        # Once, as its model takes longest: every bad picture is named, and the good one is done.
        together = Case("all bad pictures", None, 3, "", 15.0, 1024)
        result = self.run(together, "infer", "--device", "cpu", "--weights", "seeded", "--model",
                          "maskrcnn_resnet18_fpn", "pictures/one.png", *(path for _, path in bad))
        self.failures.check(result.code == 3, f"infer: {result.code}: {result.tail()}")
        for case, path in bad:
            lines = [line for line in result.text.splitlines() if path in line]
            self.failures.check(any(re.search(case.text, line, re.I) for line in lines),
                                f"infer on {case.name}: '{case.text}' wanted: {lines}")


def size_of(data):
    """As the picture's header says; 1x1 where it has none."""
    if callable(data):
        return 1, 1
    if data.startswith(image_files.SIGNATURE + b"\0\0\0\rIHDR"):
        return struct.unpack(">II", data[16:24])
    frame = re.search(rb"\xff[\xc0-\xc3]\0\x11.(..)(..)", data, re.S)
    if not frame:
        return 1, 1
    return struct.unpack(">H", frame[2])[0], struct.unpack(">H", frame[1])[0]


def main():
    with tempfile.TemporaryDirectory(prefix="mrcnn_hostile_") as scratch:
        directory = os.environ.get("MRCNN_HOSTILE_DIR", scratch)
        for folder in ("weights", "coco", "pictures"):
            os.makedirs(os.path.join(directory, folder))
        with open(os.path.join(directory, "none.json"), "w") as file:
            json.dump([], file)
        corpus = Corpus(sys.argv[1], directory, sys.argv[2:])
        corpus.weights()
        corpus.annotations()
        corpus.pictures()
        for unit, (amount, what) in corpus.most.items():
            print(f"most: {amount:.2f} {unit}: {what}")
        print(f"{corpus.num_files} files")
        return corpus.failures.finish()


sys.exit(main())
