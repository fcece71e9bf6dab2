"""One training step of the reference models in torch: losses, with the samplers drawing by our rule.

torchvision's two models run their own training code; only their samplers are replaced. The single-level
model (c5_reference.py) has none, so its losses are written here from the original system's description:
plain L1 for the RPN's boxes, smooth L1 with beta 1 for the box head.
"""

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.models.detection import _utils as det_utils
from torchvision.models.detection.roi_heads import project_masks_on_boxes
from torchvision.ops import box_iou, roi_align

import c5_reference
from random_draws import philox_words

RPN_SAMPLER, ROI_SAMPLER = 6, 7  # RandomPurpose of core/random.h


class Sampler:
    """Takes the candidates with the smallest (word, index): kernels/detection/sample_matches.h."""

    def __init__(self, purpose, num_samples, positive_fraction):
        self.purpose, self.num_samples = purpose, num_samples
        self.most_positive = int(num_samples * positive_fraction)
        self.seed = self.step = 0

    def choose(self, image, mask, count):
        candidates = torch.where(mask)[0].numpy()
        index = (np.uint64(image) << np.uint64(32)) + candidates.astype(np.uint64)
        order = np.lexsort((candidates, philox_words(self.seed, self.purpose, self.step, index)))
        chosen = torch.zeros(len(mask), dtype=torch.uint8)
        chosen[torch.from_numpy(candidates[order[:count]])] = 1
        return chosen

    def __call__(self, matched):
        positive, negative = [], []
        for image, labels in enumerate(matched):
            wanted = min(int((labels >= 1).sum()), self.most_positive)
            positive.append(self.choose(image, labels >= 1, wanted))
            rest = min(int((labels == 0).sum()), self.num_samples - wanted)
            negative.append(self.choose(image, labels == 0, rest))
        return positive, negative


def as_double(tensors):
    return [tensor.double() for tensor in tensors]


class TorchvisionTraining:
    def __init__(self, model, settings):
        self.model = model.train()
        model.transform.min_size = (settings["min_size"],)
        model.transform.max_size = settings["max_size"]
        model.rpn._pre_nms_top_n["training"] = settings["pre_nms"]
        model.rpn._post_nms_top_n["training"] = settings["post_nms"]
        self.rpn_sampler = Sampler(RPN_SAMPLER, settings["rpn_samples"], 0.5)
        self.roi_sampler = Sampler(ROI_SAMPLER, settings["roi_samples"], 0.25)
        model.rpn.fg_bg_sampler = self.rpn_sampler
        model.roi_heads.fg_bg_sampler = self.roi_sampler
        filter_proposals = model.rpn.filter_proposals

        def keep(*args):
            boxes, scores = filter_proposals(*args)
            self.proposals = [box.clone() for box in boxes]
            return boxes, scores

        model.rpn.filter_proposals = keep

    def give(self, proposals):
        """Takes these boxes instead of the model's own."""
        scores = [torch.zeros(len(boxes)) for boxes in proposals]
        self.model.rpn.filter_proposals = lambda *_: (proposals, scores)

    def compute_in_float64(self):
        """From the network's input on; matches and what the boxes aim at stay those of float32."""
        model = self.model.double()
        transform, anchors = model.transform.forward, model.rpn.anchor_generator.forward
        rpn_losses, select = model.rpn.compute_loss, model.roi_heads.select_training_samples

        def place(images, targets):
            batch, targets = transform(images, targets)
            batch.tensors = batch.tensors.double()
            return batch, targets

        def choose(proposals, targets):
            rois, matches, labels, regression = select(proposals, targets)
            return as_double(rois), matches, labels, as_double(regression)

        model.transform.forward = place
        model.rpn.anchor_generator.forward = lambda images, maps: anchors(
            images, [features.float() for features in maps])
        model.rpn.compute_loss = lambda logits, deltas, labels, regression: rpn_losses(
            logits, deltas, as_double(labels), as_double(regression))
        model.roi_heads.select_training_samples = choose

    def losses(self, images, targets, seed, step):
        for sampler in (self.rpn_sampler, self.roi_sampler):
            sampler.seed, sampler.step = seed, step
        losses = self.model(images, [dict(target) for target in targets])
        return [losses[name] for name in ("loss_objectness", "loss_rpn_box_reg", "loss_classifier",
                                          "loss_box_reg", "loss_mask")]


class C5Training:
    """The original system's step, for a batch: sums over the images, normalised by all samples."""

    def __init__(self, model, settings):
        self.model, self.settings = model, settings
        self.rpn_sampler = Sampler(RPN_SAMPLER, settings["rpn_samples"], 0.5)
        self.roi_sampler = Sampler(ROI_SAMPLER, settings["roi_samples"], 0.25)
        self.rpn_matcher = det_utils.Matcher(0.7, 0.3, allow_low_quality_matches=True)
        self.roi_matcher = det_utils.Matcher(0.5, 0.5, allow_low_quality_matches=False)
        self.given = None
        self.dtype = torch.float32

    def give(self, proposals):
        """Takes these boxes instead of the model's own."""
        self.given = proposals

    def compute_in_float64(self):
        """From the network's input on; matches and what the boxes aim at stay those of float32."""
        self.model.double()
        self.dtype = torch.float64

    def preprocess(self, images, targets):
        mean, std = (torch.tensor(v)[:, None, None] for v in (c5_reference.MEAN, c5_reference.STD))
        resized, boxes, masks = [], [], []
        for image, target in zip(images, targets):
            size = c5_reference.resized_size(*image.shape[-2:], self.settings["min_size"],
                                             self.settings["max_size"])
            resized.append(F.interpolate(((image - mean) / std)[None], size, mode="bilinear",
                                         align_corners=False)[0])
            boxes.append(c5_reference.rescale_boxes(target["boxes"], image.shape[-2:], size))
            masks.append(F.interpolate(target["masks"][:, None].float(), size)[:, 0])
        height = max(image.shape[-2] for image in resized)
        width = max(image.shape[-1] for image in resized)
        batch = torch.stack([F.pad(image, (0, width - image.shape[-1], 0, height - image.shape[-2]))
                             for image in resized])
        sizes = [tuple(image.shape[-2:]) for image in resized]
        return c5_reference.pad_to_stride(batch), sizes, boxes, masks

    def propose(self, logits, deltas, anchors, size):
        scores, top = logits.topk(min(self.settings["pre_nms"], len(logits)))
        boxes = c5_reference.decode_boxes(deltas[top], anchors[top], (1.0, 1.0, 1.0, 1.0))
        boxes = c5_reference.clip_boxes(boxes, size)
        keep = c5_reference.large_enough(boxes)
        boxes, scores = boxes[keep], scores[keep]
        return boxes[torchvision.ops.nms(boxes, scores, 0.7)[:self.settings["post_nms"]]]

    def losses(self, images, targets, seed, step):
        for sampler in (self.rpn_sampler, self.roi_sampler):
            sampler.seed, sampler.step = seed, step
        model = self.model
        batch, sizes, gt_boxes, masks = self.preprocess(images, targets)
        features = model.backbone.layer_block_module(
            model.backbone.inner_block_module(model.backbone.body(batch.to(self.dtype))))
        logits, deltas = model.rpn.head(features)
        logits = logits.permute(0, 2, 3, 1).flatten(1)
        deltas = deltas.permute(0, 2, 3, 1).reshape(len(images), -1, 4)
        anchors = c5_reference.grid_anchors(*features.shape[-2:])
        with torch.no_grad():
            self.proposals = self.given or [self.propose(*row, anchors, size)
                                            for *row, size in zip(logits, deltas, sizes)]

        rpn_coder, box_coder = det_utils.BoxCoder((1.0,) * 4), det_utils.BoxCoder((10.0, 10.0, 5.0, 5.0))
        labels, wanted = [], []
        for boxes in gt_boxes:
            matched = self.rpn_matcher(box_iou(boxes, anchors))
            labels.append((matched >= 0).float() - (matched == -2).float())
            wanted.append(rpn_coder.encode_single(boxes[matched.clamp(min=0)], anchors))
        positive, negative = (torch.stack(masks_).bool() for masks_ in self.rpn_sampler(labels))
        sampled = positive | negative
        labels, wanted = torch.stack(labels).to(self.dtype), torch.stack(wanted).to(self.dtype)
        objectness = F.binary_cross_entropy_with_logits(logits[sampled], labels[sampled])
        rpn_box = (deltas[positive] - wanted[positive]).abs().sum() / sampled.sum()

        rois, classes, regression, matches = [], [], [], []
        for image, (proposals, boxes) in enumerate(zip(self.proposals, gt_boxes)):
            proposals = torch.cat((proposals, boxes))
            matched = self.roi_matcher(box_iou(boxes, proposals))
            label = torch.where(matched >= 0, targets[image]["labels"][matched.clamp(min=0)], 0)
            # The sampler numbers the images of a batch.
            most = min(int((label > 0).sum()), self.roi_sampler.most_positive)
            chosen = self.roi_sampler.choose(image, label > 0, most).bool()
            rest = min(int((label == 0).sum()), self.roi_sampler.num_samples - most)
            chosen |= self.roi_sampler.choose(image, label == 0, rest).bool()
            rois.append(proposals[chosen])
            classes.append(label[chosen])
            matches.append(matched[chosen].clamp(min=0))
            regression.append(box_coder.encode_single(boxes[matches[-1]], rois[-1]))
        rois = [roi.to(self.dtype) for roi in rois]
        pooled = roi_align(features, rois, (7, 7), 1 / c5_reference.STRIDE, 2, aligned=False)
        class_logits, class_deltas = model.head.box_predictor(pooled)
        label = torch.cat(classes)
        classifier = F.cross_entropy(class_logits, label)
        foreground = torch.where(label > 0)[0]
        own = class_deltas.reshape(len(label), -1, 4)[foreground, label[foreground]]
        box = F.smooth_l1_loss(own, torch.cat(regression)[foreground].to(self.dtype), beta=1.0,
                               reduction="sum") / len(label)

        mask_rois = [roi[cls > 0] for roi, cls in zip(rois, classes)]
        pooled = roi_align(features, mask_rois, (14, 14), 1 / c5_reference.STRIDE, 2, aligned=False)
        mask_logits = model.head.mask_predictor(pooled)
        mask_label = label[foreground]
        wanted = torch.cat([project_masks_on_boxes(mask, roi, match[cls > 0], 28)
                            for mask, roi, match, cls in zip(masks, mask_rois, matches, classes)])
        mask = F.binary_cross_entropy_with_logits(
            mask_logits[torch.arange(len(mask_label)), mask_label], wanted)
        return [objectness, rpn_box, classifier, box, mask]
