"""bad_images.py TOOLS_DIR: trains on 400 pictures of which 20 are bad, each in another way.

Skipping: the run ends well and tells of exactly those that were planted. Failing: it ends with 3 and
names one of them. With nothing but bad pictures: 3, and no endless search for a good one.
"""
import os
import re
import shutil
import sys
import tempfile

import image_files
from program import Failures, Programs

KINDS = 20
IMAGES = 400

# So small that what it costs is the reading.
SMALL = ["--device", "cpu", "--model", "maskrcnn_resnet18_fpn", "--batch", "40", "--epochs", "1",
         "--loader-threads", "4", "--quiet"] + [word for setting in (
             "val_split=", "min_size=32", "max_size=32", "proposals=4", "rpn_samples=8",
             "roi_samples=4", "warmup_steps=0", "freeze_stages=5") for word in ("--set", setting)]


def plant(folder):
    """Every 20th picture is replaced by a bad one."""
    bad = [c for c in image_files.jpeg_cases() + image_files.png_cases()
           if c.code and isinstance(c.data, bytes)]
    planted = set()
    for i, case in enumerate(bad[:: len(bad) // KINDS][:KINDS]):
        name = f"{IMAGES // KINDS * (i + 1):06}.png"
        with open(os.path.join(folder, name), "wb") as file:
            file.write(case.data)
        planted.add(name)
    return planted


def main():
    failures = Failures()
    with tempfile.TemporaryDirectory(prefix="mrcnn_bad_images_") as directory:
        programs = Programs(sys.argv[1])
        made = programs.run(["dataset", "shapes", "--out", "set", "--images", str(IMAGES),
                             "--val-images", "1", "--size", "32", "--max-objects", "2"], directory)
        failures.check(made.code == 0, made.tail())
        pictures = os.path.join(directory, "set", "train")
        planted = plant(pictures)
        failures.check(len(planted) == KINDS, f"{len(planted)} planted")

        def train(out, *more):
            return programs.run(["train", *SMALL, "--data", "set", "--out", out, *more], directory,
                                timeout=300)

        skipping = train("skipping")
        told = re.findall(r"skipped: \S*/(\w+\.png): ", skipping.text)
        failures.check(skipping.code == 0, f"{skipping.code}: {skipping.tail()}")
        failures.check(sorted(told) == sorted(planted), f"planted {sorted(planted)}, told {sorted(told)}")
        failures.check(f"{KINDS} images could not be used" in skipping.text, skipping.tail())
        failures.check(os.path.exists(os.path.join(directory, "skipping", "final.safetensors")),
                       "no weights")

        failing = train("failing", "--set", "bad_images=fail")
        named = re.search(r"^train: \S*/(\w+\.png): ", failing.text, re.M)
        failures.check(failing.code == 3, f"{failing.code}: {failing.tail()}")
        failures.check(named and named[1] in planted, failing.tail())
        failures.check(not os.path.exists(os.path.join(directory, "failing", "final.safetensors")),
                       "weights in spite of a failure")

        for name in os.listdir(pictures):
            shutil.copy(os.path.join(pictures, sorted(planted)[0]), os.path.join(pictures, name + "~"))
            os.replace(os.path.join(pictures, name + "~"), os.path.join(pictures, name))
        nothing = train("nothing")
        failures.check(nothing.code == 3, f"{nothing.code}: {nothing.tail()}")
        print(f"processor seconds: {skipping.seconds:.1f}, {failing.seconds:.1f}, {nothing.seconds:.1f}")
    return failures.finish()


sys.exit(main())
