"""The single-level Mask R-CNN (`maskrcnn_resnet50_c5`) in torch: a development-time oracle.

ResNet-50 whose last map (stride 32) feeds the RPN and both heads. `compat=True` reproduces the original
system: boxes are clipped to and rescaled from the *padded* size, at most 100 detections are kept per
class, and the result is ordered by class. `compat=False` is what the C++ model does by default: boxes
are clipped to and rescaled from the real resized size, and the best 100 of the image are kept in
descending score.

Run as a program it checks itself against known values.
"""

import math

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.ops import roi_align
from torchvision.ops.misc import FrozenBatchNorm2d

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
STRIDE = 32
LOG_SCALE_CLAMP = math.log(1000.0 / 16)


def resized_size(height, width, min_size=800, max_size=1333):
    scale = min(min_size / min(height, width), max_size / max(height, width))
    return round(height * scale), round(width * scale)  # halves to even, in double


def pad_to_stride(image):
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % STRIDE, 0, -height % STRIDE))


def base_anchors(sizes=(128, 256, 512), ratios=(0.5, 1.0, 2.0)):
    size = torch.tensor(sizes, dtype=torch.float32)[:, None]
    h_ratio = torch.tensor(ratios, dtype=torch.float32).sqrt()[None, :]
    height = (size * h_ratio).flatten()
    width = (size * (1 / h_ratio)).flatten()
    return torch.stack((-width, -height, width, height), dim=1) / 2  # not rounded


def grid_anchors(rows, columns):
    """[rows * columns * 9, 4]; centres at multiples of the stride, the anchor fastest."""
    x = torch.arange(columns, dtype=torch.float32) * STRIDE
    y = torch.arange(rows, dtype=torch.float32) * STRIDE
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack((grid_x, grid_y, grid_x, grid_y), dim=-1).reshape(-1, 1, 4)
    return (shifts + base_anchors()).reshape(-1, 4)


def decode_boxes(deltas, boxes, weights):
    dx, dy, dw, dh = (deltas / deltas.new_tensor(weights)).unbind(-1)
    width = boxes[..., 2] - boxes[..., 0]
    height = boxes[..., 3] - boxes[..., 1]
    center_x = dx * width + boxes[..., 0] + 0.5 * width
    center_y = dy * height + boxes[..., 1] + 0.5 * height
    half_w = 0.5 * dw.clamp(max=LOG_SCALE_CLAMP).exp() * width
    half_h = 0.5 * dh.clamp(max=LOG_SCALE_CLAMP).exp() * height
    return torch.stack(
        (center_x - half_w, center_y - half_h, center_x + half_w, center_y + half_h), dim=-1
    )


def clip_boxes(boxes, size):
    height, width = size
    x = boxes[..., 0::2].clamp(0, width)
    y = boxes[..., 1::2].clamp(0, height)
    return torch.stack((x[..., 0], y[..., 0], x[..., 1], y[..., 1]), dim=-1)


def large_enough(boxes, min_size=1.0):
    return (boxes[:, 2] - boxes[:, 0] >= min_size) & (boxes[:, 3] - boxes[:, 1] >= min_size)


def rescale_boxes(boxes, from_size, to_size):
    factor_to = boxes.new_tensor([to_size[1], to_size[0]] * 2)
    factor_from = boxes.new_tensor([from_size[1], from_size[0]] * 2)
    return boxes * factor_to / factor_from


def paste_masks(probs, boxes, size):
    """Soft masks [D, H, W] of the original image from [D, 28, 28] probabilities."""
    height, width = size
    canvas = probs.new_zeros((len(probs), height, width))
    padded = F.pad(probs, (1, 1, 1, 1))
    factor = padded.shape[-1] / probs.shape[-1]
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * factor
    center = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    corners = torch.cat((center - half, center + half), dim=1).to(torch.int64)  # towards zero
    for out, mask, (x1, y1, x2, y2) in zip(canvas, padded, corners.tolist()):
        rows, columns = max(y2 - y1, 1), max(x2 - x1, 1)
        mask = F.interpolate(mask[None, None], (rows, columns), mode="bilinear", align_corners=False)
        top, left = max(y1, 0), max(x1, 0)
        bottom, right = min(y2, height), min(x2, width)
        out[top:bottom, left:right] = mask[0, 0, top - y1 : bottom - y1, left - x1 : right - x1]
    return canvas


class Body(nn.Module):
    """The convolutional part of ResNet-50."""

    def __init__(self):
        super().__init__()
        resnet = torchvision.models.resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
        for name, child in resnet.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, child)

    def forward(self, x):
        for child in self.children():
            x = child(x)
        return x


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Body()
        self.inner_block_module = nn.Conv2d(2048, 256, 1)
        self.layer_block_module = nn.Conv2d(256, 256, 3, padding=1)


class RpnHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(256, 256, 3, padding=1)
        self.cls_logits = nn.Conv2d(256, 9, 1)
        self.bbox_pred = nn.Conv2d(256, 36, 1)

    def forward(self, x):
        x = self.conv(x).relu()
        return self.cls_logits(x), self.bbox_pred(x)


class BoxPredictor(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.fc1 = nn.Linear(256 * 7 * 7, 1024)
        self.fc2 = nn.Linear(1024, 1024)
        self.cls_score = nn.Linear(1024, num_classes)
        self.bbox_pred = nn.Linear(1024, 4 * num_classes)

    def forward(self, rois):
        x = self.fc2(self.fc1(rois.flatten(1)).relu()).relu()
        return self.cls_score(x), self.bbox_pred(x)


class MaskPredictor(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        for index in range(1, 5):
            self.add_module(f"mask_fcn{index}", nn.Conv2d(256, 256, 3, padding=1))
        self.mask_conv5 = nn.ConvTranspose2d(256, 256, 2, stride=2)
        self.mask_fcn_logits = nn.Conv2d(256, num_classes, 1)

    def forward(self, x):
        for name, child in self.named_children():
            x = child(x)
            if name != "mask_fcn_logits":
                x = x.relu()
        return x


class MaskRcnnC5(nn.Module):
    def __init__(self, num_classes=91):
        super().__init__()
        self.backbone = Backbone()
        self.rpn = nn.Module()
        self.rpn.head = RpnHead()
        self.head = nn.Module()
        self.head.box_predictor = BoxPredictor(num_classes)
        self.head.mask_predictor = MaskPredictor(num_classes)

    def preprocess(self, image):
        """[3, H, W] in 0..1 -> ([1, 3, PH, PW], (height, width) after the resize)."""
        mean, std = image.new_tensor(MEAN), image.new_tensor(STD)
        image = (image - mean[:, None, None]) / std[:, None, None]
        size = resized_size(*image.shape[-2:])
        image = F.interpolate(image[None], size, mode="bilinear", align_corners=False)
        return pad_to_stride(image), size

    def propose(self, logits, deltas, clip_size):
        rows, columns = logits.shape[-2:]
        logits = logits[0].permute(1, 2, 0).flatten()
        deltas = deltas[0].permute(1, 2, 0).reshape(-1, 4)
        anchors = grid_anchors(rows, columns).to(deltas)
        scores, top = logits.topk(min(1000, len(logits)))
        boxes = clip_boxes(decode_boxes(deltas[top], anchors[top], (1.0, 1.0, 1.0, 1.0)), clip_size)
        keep = large_enough(boxes)
        boxes, scores = boxes[keep], scores[keep]
        keep = torchvision.ops.nms(boxes, scores, 0.7)[:1000]
        return boxes[keep], scores[keep]

    def detect(self, features, proposals, clip_size, compat):
        """(boxes in network pixels, labels, scores) of one image, and the predictor's outputs."""
        rois = roi_align(features, [proposals], (7, 7), 1 / STRIDE, 2, aligned=False)
        class_logits, class_deltas = self.head.box_predictor(rois)
        all_scores = class_logits.softmax(dim=-1)
        deltas = class_deltas.reshape(len(proposals), -1, 4)
        boxes, labels, scores = [], [], []
        for label in range(1, all_scores.shape[1]):
            keep = all_scores[:, label] >= 0.1
            score = all_scores[keep, label]
            box = decode_boxes(deltas[keep, label], proposals[keep], (10.0, 10.0, 5.0, 5.0))
            box = clip_boxes(box, clip_size)
            keep = large_enough(box)
            box, score = box[keep], score[keep]
            keep = torchvision.ops.nms(box, score, 0.6)
            keep = keep[:100] if compat else keep
            boxes.append(box[keep])
            scores.append(score[keep])
            labels.append(torch.full((len(keep),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        if not compat:
            best = scores.argsort(descending=True, stable=True)[:100]
            boxes, labels, scores = boxes[best], labels[best], scores[best]
        return boxes, labels, scores, class_logits, class_deltas

    def mask_probs(self, features, boxes, labels):
        rois = roi_align(features, [boxes], (14, 14), 1 / STRIDE, 2, aligned=False)
        logits = self.head.mask_predictor(rois)
        return logits[torch.arange(len(labels)), labels].sigmoid()

    @torch.inference_mode()
    def forward(self, image, compat=False):
        """One image [3, H, W] in 0..1 -> every intermediate that a golden may want."""
        original = tuple(image.shape[-2:])
        x, resized = self.preprocess(image)
        padded = tuple(x.shape[-2:])
        frame = padded if compat else resized
        c5 = self.backbone.body(x)
        features = self.backbone.layer_block_module(self.backbone.inner_block_module(c5))
        logits, deltas = self.rpn.head(features)
        proposals, proposal_logits = self.propose(logits, deltas, frame)
        network_boxes, labels, scores, class_logits, class_deltas = self.detect(
            features, proposals, frame, compat
        )
        probs = self.mask_probs(features, network_boxes, labels)
        boxes = rescale_boxes(network_boxes, frame, original)
        return {
            "maps": {
                "input": x, "body/3": c5, "features": features,
                "rpn/logits/0": logits, "rpn/deltas/0": deltas,
                "box/logits": class_logits, "box/deltas": class_deltas,
            },
            "resized": resized, "padded": padded,
            "proposals": proposals, "proposal_scores": proposal_logits,
            "network_boxes": network_boxes, "mask_probs": probs,
            "boxes": boxes, "labels": labels, "scores": scores,
            "masks": paste_masks(probs, boxes, original),
        }


def check_known_values():
    """Values obtained by running the original system's own functions."""
    for size, expected in {
        (427, 640): (800, 1199), (480, 640): (800, 1067), (426, 640): (800, 1202),
        (375, 500): (800, 1067), (333, 500): (800, 1201), (100, 1000): (133, 1333),
        (1080, 1920): (750, 1333), (64, 64): (800, 800),
    }.items():
        assert resized_size(*size) == expected, size
    assert pad_to_stride(torch.zeros(1, 3, 133, 1333)).shape[-2:] == (160, 1344)
    anchors = grid_anchors(25, 34)
    assert len(anchors) == 7650
    expected = torch.tensor([-58.509666, -45.254833, 122.509666, 45.254833])
    assert torch.allclose(anchors[9], expected, atol=1e-5)
    decoded = decode_boxes(
        torch.tensor([[1.0, -2.0, 40.0, 0.5]]), torch.tensor([[10.0, 20.0, 110.0, 70.0]]), (10, 10, 5, 5)
    )
    expected = torch.tensor([[-3055.000244, 7.370726, 3195.000244, 62.629272]])
    assert torch.allclose(decoded, expected, atol=1e-3)
    pasted = paste_masks(torch.ones(1, 4, 4), torch.tensor([[2.3, 1.7, 9.6, 7.2]]), (8, 10))[0]
    edge = torch.tensor([0, 0.198864, 0.539773, 0.625, 0.625, 0.625, 0.625, 0.625, 0.539773, 0.198864])
    inner = torch.tensor([0, 0.318182, 0.863636, 1, 1, 1, 1, 1, 0.863636, 0.318182])
    assert torch.allclose(pasted[1], edge, atol=1e-5) and torch.allclose(pasted[6], edge, atol=1e-5)
    assert torch.allclose(pasted[3], inner, atol=1e-5)
    assert not pasted[0].any() and not pasted[7].any()
    parameters = sum(p.numel() for p in MaskRcnnC5().parameters())
    assert parameters == 42179343, parameters


if __name__ == "__main__":
    check_known_values()
    print("c5_reference: known values hold")
