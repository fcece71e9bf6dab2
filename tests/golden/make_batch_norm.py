"""Writes batch_norm.safetensors: torch.nn.BatchNorm2d in training, forwards and backwards.

Two steps on the same layer, so that running statistics are averaged twice. Case `plain` has neither
residual nor ReLU, case `fused` both. Maps are stored channels last, as the tests read them.

    python make_batch_norm.py
"""
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

SHAPE = (2, 6, 5, 7)  # N, C, H, W: 70 pixels are three blocks of 32, the last one short
STEPS = 2


def channels_last(tensor):
    return np.ascontiguousarray(tensor.detach().permute(0, 2, 3, 1).numpy())


def run_case(name, fused, generator):
    arrays = {}
    channels = SHAPE[1]
    layer = torch.nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1).train()
    with torch.no_grad():
        layer.weight.copy_(torch.rand(channels, generator=generator) + 0.5)
        layer.bias.copy_(torch.randn(channels, generator=generator) * 0.3)
    for parameter in ("weight", "bias", "running_mean", "running_var"):
        arrays[f"{name}/{parameter}"] = getattr(layer, parameter).detach().numpy().copy()
    for step in range(STEPS):
        # A mean of some deviations in every channel, so that cancellation shows.
        offset = torch.linspace(-4, 4, channels).reshape(1, channels, 1, 1)
        x = (torch.randn(SHAPE, generator=generator) * (1 + step) + offset).requires_grad_()
        residual = torch.randn(SHAPE, generator=generator).requires_grad_()
        grad = torch.randn(SHAPE, generator=generator)
        y = torch.relu(layer(x) + residual) if fused else layer(x)
        layer.zero_grad()
        y.backward(grad)
        maps = {"input": x, "output": y, "grad_output": grad, "grad_input": x.grad}
        if fused:
            maps |= {"residual": residual, "grad_residual": residual.grad}
        prefix = f"{name}/{step}/"
        arrays |= {prefix + key: channels_last(value) for key, value in maps.items()}
        arrays[prefix + "grad_weight"] = layer.weight.grad.numpy().copy()
        arrays[prefix + "grad_bias"] = layer.bias.grad.numpy().copy()
        arrays[prefix + "running_mean"] = layer.running_mean.numpy().copy()
        arrays[prefix + "running_var"] = layer.running_var.numpy().copy()
    return arrays


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(20)
    arrays = run_case("plain", False, generator) | run_case("fused", True, generator)
    save_file(arrays, pathlib.Path(__file__).parent / "batch_norm.safetensors")


if __name__ == "__main__":
    main()
