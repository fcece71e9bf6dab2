"""Weights that are a function of (seed, tensor name, element index).

The rule is written twice: here and in models/seeded_weights.cpp, whose header explains it. The two must
give equal bits; models/seeded_weights_test pins values printed by running this file.
"""

import math

import numpy as np

SEED = 6  # of every golden in this folder

GOLDEN_RATIO = 0x9E3779B97F4A7C15
MASK64 = (1 << 64) - 1
CHUNK = 1 << 20  # elements hashed at a time; bounds the memory

# (end of the name, scale, offset); the first match counts.
AFFINES = (
    ("num_batches_tracked", 0.0, 0.0),
    ("running_mean", 0.1, 0.0),
    ("running_var", 0.25, 1.0),
    ("bn3.weight", 0.0625, 0.25),
    ("rpn.head.bbox_pred.bias", 0.1, 0.75),
    ("roi_heads.box_predictor.bbox_pred.bias", 0.1, 3.5),
    ("head.box_predictor.bbox_pred.bias", 0.1, 1.5),
    ("box_head.fc7.bias", 0.1, -1.0),
    ("box_head.5.bias", 0.1, -1.0),
    ("bias", 0.1, 0.0),
)
NORM_WEIGHT = (0.25, 1.0)

# (end of the name, gain); the first match counts.
GAINS = (
    ("downsample.0.weight", 1.0),
    ("inner_blocks.0.0.weight", 0.5),
    ("inner_blocks.1.0.weight", 0.5),
    ("inner_blocks.2.0.weight", 0.5),
    ("inner_blocks.3.0.weight", 1.0),
    ("layer_blocks.0.0.weight", 0.7),
    ("layer_blocks.1.0.weight", 0.7),
    ("layer_blocks.2.0.weight", 0.7),
    ("layer_blocks.3.0.weight", 1.0),
    ("inner_block_module.weight", 1.0),
    ("layer_block_module.weight", 1.0),
    ("rpn.head.cls_logits.weight", 2.0),
    ("rpn.head.bbox_pred.weight", 0.5),
    ("cls_score.weight", 3.0),
    ("bbox_pred.weight", 1.5),
    ("mask_fcn_logits.weight", 2.5),
)
RELU_GAIN = 1.4142135623730951
TRANSPOSED = ("conv5_mask.weight", "mask_conv5.weight")


def fnv1a64(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def unit_values(seed, name, count):
    """Exact multiples of 2^-23 in [-1, 1), float32."""
    base = np.uint64(fnv1a64(name) ^ ((seed * GOLDEN_RATIO) & MASK64))
    values = np.empty(count, np.float32)
    for begin in range(0, count, CHUNK):
        end = min(begin + CHUNK, count)
        z = np.arange(begin + 1, end + 1, dtype=np.uint64)
        z *= np.uint64(GOLDEN_RATIO)
        z += base
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        values[begin:end] = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23)
    values -= np.float32(1.0)
    return values


def scale_and_offset(name, shape):
    for tail, scale, offset in AFFINES:
        if name.endswith(tail):
            return np.float32(scale), np.float32(offset)
    if len(shape) < 2:
        return np.float32(NORM_WEIGHT[0]), np.float32(NORM_WEIGHT[1])
    fan_in = shape[0] if name.endswith(TRANSPOSED) else math.prod(shape[1:])
    gain = next((gain for tail, gain in GAINS if name.endswith(tail)), RELU_GAIN)
    return np.float32(gain * math.sqrt(3.0 / fan_in)), np.float32(0.0)


def seeded_values(seed, name, shape):
    """The float32 array of a tensor; `shape` and the result are in the file's layout."""
    scale, offset = scale_and_offset(name, shape)
    values = unit_values(seed, name, math.prod(shape))
    values *= scale
    values += offset
    return values.reshape(shape)


def load_seeded(model, seed=SEED):
    """Fills every entry of a torch module's state dict."""
    import torch

    state = {
        name: torch.from_numpy(seeded_values(seed, name, tuple(value.shape))).to(value.dtype)
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(state)
    return model.eval()


PINNED = (
    ("backbone.body.conv1.weight", (64, 3, 7, 7)),
    ("backbone.body.layer1.0.bn1.running_var", (64,)),
    ("backbone.body.layer1.0.bn1.num_batches_tracked", ()),
    ("backbone.body.layer2.0.bn3.weight", (512,)),
    ("backbone.fpn.inner_blocks.1.1.weight", (256,)),
    ("backbone.fpn.layer_blocks.2.0.weight", (256, 256, 3, 3)),
    ("roi_heads.box_head.fc6.weight", (1024, 12544)),
    ("roi_heads.box_predictor.bbox_pred.bias", (364,)),
    ("roi_heads.mask_predictor.conv5_mask.weight", (256, 256, 2, 2)),
    ("head.box_predictor.bbox_pred.bias", (364,)),
)

if __name__ == "__main__":
    for name, shape in PINNED:
        values = seeded_values(SEED, name, shape).ravel()
        bits = values.view(np.uint32)
        picked = ", ".join(f"0x{bits[i]:08X}" for i in (0, len(bits) // 3, len(bits) - 1))
        folded = int(np.bitwise_xor.reduce(bits * np.arange(1, len(bits) + 1, dtype=np.uint32)))
        extents = ", ".join(map(str, shape))
        print(f'    {{"{name}", {{{extents}}}, {{{picked}}}, 0x{folded:08X}}},')
