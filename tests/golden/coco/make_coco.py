"""Cuts a few images out of a COCO instances file and rasterises their objects with pycocotools.

    python make_coco.py instances_val2017.json

instances_cut.json: the info, licenses and all categories of the file, IMAGES and their annotations,
each as it is there.
masks.txt: of every annotation its id, and of COCO.annToRLE's mask the area, the box (x y w h) and the
compressed string.
"""
import json
import pathlib
import sys

from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

HERE = pathlib.Path(__file__).parent
# CC BY 2.0 each; two hold a crowd.
IMAGES = [6818, 122745, 126107, 165518, 184324, 208901, 255165, 343937]


def main():
    data = json.load(open(sys.argv[1]))
    data["images"] = [image for image in data["images"] if image["id"] in IMAGES]
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] in IMAGES]
    cut = HERE / "instances_cut.json"
    with open(cut, "w") as out:
        out.write("{")
        for i, (key, value) in enumerate(data.items()):
            out.write((",\n" if i else "\n") + json.dumps(key) + ": ")
            if isinstance(value, list):  # a record a line
                out.write("[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]")
            else:
                out.write(json.dumps(value))
        out.write("\n}\n")
    annotations = COCO(cut)
    with open(HERE / "masks.txt", "w") as out:
        for annotation in data["annotations"]:
            rle = annotations.annToRLE(annotation)
            box = " ".join(str(int(v)) for v in coco_mask.toBbox(rle))
            out.write(f"{annotation['id']} {int(coco_mask.area(rle))} {box} {rle['counts'].decode()}\n")


if __name__ == "__main__":
    main()
