"""Three steps of torch.optim.SGD on three tensors, in several settings.

    python make_sgd.py

writes sgd.safetensors beside this script. Names: "gradient/<step>/<tensor>" and "initial/<tensor>", shared
by all cases; "<case>/<step>/parameter/<tensor>" and ".../momentum/<tensor>" after each step. Tensor 1
has no gradient in step 1. Cases end in "_f32" or "_f64"; the inputs are f32. Seed 11.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
SHAPES = [(7,), (3, 11), (2, 3, 5)]
LR = [0.1, 0.05, 0.02]
CASES = {
    "plain": dict(momentum=0.0, weight_decay=0.0),
    "momentum": dict(momentum=0.9, weight_decay=0.01),
    "nesterov": dict(momentum=0.9, weight_decay=0.01, nesterov=True),
    "dampening": dict(momentum=0.9, weight_decay=0.0, dampening=0.3),
}


def gradient(tensors, step, i):
    return None if (step, i) == (1, 1) else tensors[f"gradient/{step}/{i}"]


def run(tensors, name, options, dtype):
    parameters = [torch.nn.Parameter(torch.from_numpy(tensors[f"initial/{i}"].copy()).to(dtype)) for i in range(3)]
    optimizer = torch.optim.SGD(
        [{"params": [p], "lr": lr} for p, lr in zip(parameters, LR)], lr=0.1, foreach=False, **options
    )
    for step in range(3):
        for i, parameter in enumerate(parameters):
            values = gradient(tensors, step, i)
            parameter.grad = None if values is None else torch.from_numpy(values).to(dtype)
        optimizer.step()
        for i, parameter in enumerate(parameters):
            tensors[f"{name}/{step}/parameter/{i}"] = parameter.detach().numpy().copy()
            momentum = optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"{name}/{step}/momentum/{i}"] = momentum.numpy().copy()


def main():
    generator = np.random.default_rng(11)
    tensors = {}
    for i, shape in enumerate(SHAPES):
        tensors[f"initial/{i}"] = generator.standard_normal(shape).astype(np.float32)
        for step in range(3):
            tensors[f"gradient/{step}/{i}"] = generator.standard_normal(shape).astype(np.float32)
    for name, options in CASES.items():
        for suffix, dtype in (("f32", torch.float32), ("f64", torch.float64)):
            run(tensors, f"{name}_{suffix}", options, dtype)
    save_file(tensors, HERE / "sgd.safetensors")
    print(len(tensors), "tensors, torch", torch.__version__)


if __name__ == "__main__":
    main()
