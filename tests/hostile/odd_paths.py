"""odd_paths.py TOOLS_DIR: files and folders whose names are odd, that cannot be written or opened.

Every program works with any name a file can have, and where it cannot, says so with a code of the
table. A user whom permissions do not hold back (root) is refused by what no permission gives.
"""
import os
import sys
import tempfile

from pickle_code import pth
from program import Failures, Programs

NAMES = [b"with space", b"quo'te", b'double"quote', b"new\nline", b"not\xff\xfeutf8", "Größe".encode(),
         b"-dash", b"*star?", b"n" * 250, b"back\\slash", b"percent%s", b"{brace}"]


class Trial:
    def __init__(self, tools, directory):
        self.programs, self.directory, self.failures = Programs(tools), directory, Failures()

    def run(self, codes, *words, **kwargs):
        words = [words[0], *(w if isinstance(w, bytes) else w.encode() for w in words[1:])]
        result = self.programs.run(words, self.directory, **kwargs)
        self.failures.check(result.code in codes, f"{words}: {result.code}, not {codes}: {result.tail()}")
        return result

    def names(self):
        for name in NAMES:
            folder = b"./" + name
            self.run([0], "dataset", "shapes", "--out", folder, "--images", "2", "--val-images", "1",
                     "--size", "32")
            self.run([0], "dataset", "check", folder, "--json", folder + b"/found.json")
            self.run([0], "dataset", "stats", folder, "--picture", folder + b"/counts.png")
            self.run([0], "dataset", "show", folder, "--out", folder + b"/look")
            for written in (b"found.json", b"counts.png", b"look/contact_sheet.png"):
                path = os.path.join(os.fsencode(self.directory), name, written)
                self.failures.check(os.path.exists(path), f"{path} is missing")
            weights = folder + b"/" + name[:240] + b".pth"
            with open(os.path.join(os.fsencode(self.directory), weights), "wb") as file:
                file.write(pth())
            self.run([0], "convert", "--list", weights)
            os.symlink(name, os.path.join(os.fsencode(self.directory), b"link"))
            self.run([0], "dataset", "check", "link")
            self.run([0], "convert", "--list", b"link/" + name[:240] + b".pth")
            os.unlink(os.path.join(self.directory, "link"))
            result = self.run([4], "convert", "--list", folder + b"/absent.pth")
            self.failures.check(result.text.count("\n") == 1, f"{name}: a message of one line wanted")
        self.run([4], "convert", "--list", b"n" * 300)
        self.run([4], "convert", "--list", b"a/" * 2100 + b"x")

    def unwritable(self):
        self.run([2, 5], "dataset", "shapes", "--out", "/proc/made", "--images", "1")
        self.run([2, 5], "dataset", "stats", "-dash/annotations/instances_train.json", "--json",
                 "/proc/made.json")
        self.run([2, 5], "train", "--data", "shapes", "--out", "/proc/made", "--steps", "1")
        if os.geteuid() == 0:
            print("root: permissions hold nothing back, so folders of mode 500 and files of mode 000 "
                  "were not tried")
            return
        os.mkdir(os.path.join(self.directory, "locked"), 0o500)
        self.run([5], "dataset", "shapes", "--out", "locked/set", "--images", "1")
        path = os.path.join(self.directory, "unreadable.pth")
        with open(path, "wb") as file:
            file.write(pth())
        os.chmod(path, 0)
        self.run([4], "convert", "--list", "unreadable.pth")

    def few_descriptors(self):
        few = {"limits": ["--nofile=32"]}
        self.run([0], "dataset", "check", "./-dash", **few)
        self.run([0], "convert", "--list", "./-dash/-dash.pth", **few)
        self.run([0], "train", "--device", "cpu", "--model", "maskrcnn_resnet18_fpn", "--data",
                 "./-dash", "--out", "run", "--steps", "1", "--loader-threads", "8", "--set",
                 "min_size=32", "--set", "max_size=32", "--set", "proposals=4", "--set", "val_split=",
                 "--quiet", timeout=300, **few)
        none = {"limits": ["--nofile=3"]}  # what a program starts with: no library can be opened
        self.failures.check(self.programs.run(["convert", "--list", "x.pth"], self.directory,
                                              **none).code > 0, "runs without descriptors")


def main():
    with tempfile.TemporaryDirectory(prefix="mrcnn_odd_paths_") as directory:
        trial = Trial(sys.argv[1], directory)
        trial.names()
        trial.unwritable()
        trial.few_descriptors()
        return trial.failures.finish()


sys.exit(main())
