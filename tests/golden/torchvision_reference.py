"""torchvision's two Mask R-CNNs, and every intermediate of one image that a golden may want."""

import torch
import torchvision
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn_v2
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops.misc import FrozenBatchNorm2d

STAGES = ("layer1", "layer2", "layer3", "layer4")


def build_v1():
    """As the published COCO_V1 weights are run: frozen norm with eps 0."""
    body = torchvision.models.resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    model = MaskRCNN(_resnet_fpn_extractor(body, 5), num_classes=91)
    overwrite_eps(model, 0.0)
    return model.eval()


def build_v2():
    return maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).eval()


@torch.inference_mode()
def run(model, image):
    """One image [3, H, W] in 0..1 -> the values that c5_reference.MaskRcnnC5.forward also names."""
    seen = {}
    hooks = []

    def keep(name, module, pick):
        def hook(_, args, output):
            seen[name] = pick(output)

        hooks.append(module.register_forward_hook(hook))

    body = model.backbone.body
    for index, stage in enumerate(STAGES):
        keep(f"body/{index}", getattr(body, stage), lambda output: output)
    keep("transform", model.transform, lambda output: output[0])
    keep("fpn", model.backbone, dict)
    keep("rpn_head", model.rpn.head, lambda output: output)
    keep("box_predictor", model.roi_heads.box_predictor, lambda output: output)
    # postprocess replaces entries of these dictionaries, so copy them.
    keep("roi_heads", model.roi_heads, lambda output: dict(output[0][0]))
    filter_proposals = model.rpn.filter_proposals

    def keep_proposals(*args):
        boxes, scores = filter_proposals(*args)
        seen["proposals"] = (boxes[0], scores[0])
        return boxes, scores

    model.rpn.filter_proposals = keep_proposals
    try:
        result = model([image])[0]
    finally:
        model.rpn.filter_proposals = filter_proposals
        for hook in hooks:
            hook.remove()

    maps = {"input": seen["transform"].tensors}
    maps |= {name: seen[name] for name in seen if name.startswith("body/")}
    maps |= {f"fpn/{name}": value for name, value in seen["fpn"].items()}
    logits, deltas = seen["rpn_head"]
    maps |= {f"rpn/logits/{level}": value for level, value in enumerate(logits)}
    maps |= {f"rpn/deltas/{level}": value for level, value in enumerate(deltas)}
    maps["box/logits"], maps["box/deltas"] = seen["box_predictor"]
    network = seen["roi_heads"]
    return {
        "maps": maps,
        "resized": seen["transform"].image_sizes[0],
        "padded": tuple(seen["transform"].tensors.shape[-2:]),
        "proposals": seen["proposals"][0],
        "proposal_scores": seen["proposals"][1],
        "network_boxes": network["boxes"],
        "mask_probs": network["masks"][:, 0],
        "boxes": result["boxes"],
        "labels": result["labels"],
        "scores": result["scores"],
        "masks": result["masks"][:, 0],
    }
