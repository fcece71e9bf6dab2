"""Random sets of objects and detections for COCO's evaluation; tests/data/evaluation/random_set.h
draws the same ones.

They have crowds, polygons and run lengths, equal scores, areas on the limits of the ranges, images and
classes without objects or detections, more than 100 detections in an image, and images of any shape.
"""

import numpy as np
from pycocotools import mask as coco_mask

from random_draws import Draws

SEED = 40
CATEGORIES = (1, 3, 17, 90)
SIDES = (25, 70, 200)
AREAS = (1024, 9216, 100)


class Shape:
    """A box in tenths of a pixel and what is drawn in it."""

    def __init__(self, draws, height, width):
        side = SIDES[draws.below(len(SIDES))]
        self.w = 10 + draws.below(10 * min(side, width) - 9)
        self.h = 10 + draws.below(10 * min(side, height) - 9)
        square = (320, 960)[draws.below(2)] if draws.below(5) == 0 else 0
        if square and square <= 10 * min(height, width):
            self.w = self.h = square
        self.x = draws.below(10 * width - self.w + 1)
        self.y = draws.below(10 * height - self.h + 1)
        self.kind = draws.below(3)  # a polygon, two of them, a box with holes
        self.holes = draws.below(11)
        self.corners = [(draws.below(101), draws.below(101)) for _ in range(3 + draws.below(6))]

    def moved(self, draws):
        shape = Shape.__new__(Shape)
        shape.__dict__.update(self.__dict__)
        shape.x += 5 * (draws.below(13) - 6)
        shape.y += 5 * (draws.below(13) - 6)
        shape.w = max(10, shape.w + 10 * (draws.below(7) - 3))
        shape.h = max(10, shape.h + 10 * (draws.below(7) - 3))
        return shape

    def box(self):
        return [self.x / 10, self.y / 10, self.w / 10, self.h / 10]

    def polygons(self):
        """In hundredths of a pixel; none for a box with holes."""
        if self.kind == 2:
            return []
        polygons = [[(10 * self.x + self.w * fx // 10, 10 * self.y + self.h * fy // 10)
                     for fx, fy in self.corners]]
        if self.kind == 1:  # the upper left quarter too
            left, top = 10 * self.x, 10 * self.y
            right, bottom = left + 5 * self.w, top + 5 * self.h
            polygons.append([(left, top), (left, bottom), (right, bottom), (right, top)])
        return [[v / 100 for point in polygon for v in point] for polygon in polygons]

    def rle(self, height, width):
        if self.kind != 2:
            return coco_mask.merge(coco_mask.frPyObjects(self.polygons(), height, width))
        rows, columns = np.mgrid[:height, :width]
        inside = ((10 * columns >= self.x) & (10 * columns < self.x + self.w)
                  & (10 * rows >= self.y) & (10 * rows < self.y + self.h)
                  & ((7 * columns + 13 * rows + self.holes) % 11 != 0))
        return coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))


class RandomSet:
    def __init__(self, number):
        draws = Draws(SEED, number)
        # Ids from 0 on and results that state boxes: where pycocotools is odd.
        self.strict = number % 5 == 4
        self.images, self.truths, self.detections = [], [], []
        num_used = 1 + draws.below(len(CATEGORIES))
        for i in range(1 + draws.below(6)):
            image = {"id": 10 * i + draws.below(10), "height": 20 + draws.below(180),
                     "width": 20 + draws.below(230)}
            self.images.append(image)
            self.add_truths(draws, image, num_used)
            self.add_detections(draws, image)

    def add_truths(self, draws, image, num_used):
        size = image["height"], image["width"]
        num_truths = draws.below(7)
        if draws.below(5) == 0:
            num_truths = 0
        self.shapes = []
        for _ in range(num_truths):
            category = CATEGORIES[draws.below(num_used)]
            shape = Shape(draws, *size)
            crowd = int(draws.below(7) == 0)
            area = draws.below(6)
            rle = shape.rle(*size)
            segmentation = rle
            if crowd:  # as in COCO's files
                bits = coco_mask.decode(rle).T.reshape(-1)
                ends = np.flatnonzero(np.diff(bits)) + 1
                counts = np.diff(np.concatenate([[0], ends, [bits.size]]))
                counts = [0] * int(bits[0]) + [int(c) for c in counts]
                segmentation = {"size": list(size), "counts": counts}
            elif shape.kind != 2:
                segmentation = shape.polygons()
            self.truths.append({
                "id": len(self.truths) + (0 if self.strict else 1), "image_id": image["id"],
                "category_id": category, "bbox": shape.box(), "iscrowd": crowd,
                "area": AREAS[area] if area < len(AREAS) else int(coco_mask.area(rle)),
                "segmentation": segmentation})
            self.shapes.append((shape, category))

    def add_detections(self, draws, image):
        num_detections = draws.below(10)
        many = draws.below(15) == 0
        category_of_many = CATEGORIES[draws.below(len(CATEGORIES))]
        if many:
            num_detections = 101 + draws.below(40)
        for _ in range(num_detections):
            if draws.below(4) > 0 and self.shapes:
                shape, category = self.shapes[draws.below(len(self.shapes))]
                shape = shape.moved(draws)
                if draws.below(8) == 0:
                    category = CATEGORIES[draws.below(len(CATEGORIES))]
            else:
                shape = Shape(draws, image["height"], image["width"])
                category = CATEGORIES[draws.below(len(CATEGORIES))]
            tie = draws.below(2) == 0
            score = (1 + draws.below(12)) / 16 if tie else draws.below(1 << 24) / (1 << 24)
            self.detections.append({
                "image_id": image["id"], "category_id": category_of_many if many else category,
                "bbox": shape.box(), "score": score,
                "segmentation": shape.rle(image["height"], image["width"])})
