"""Writes losses.txt: weighted losses and their gradients, computed by torch in float64.

Run it in a Python with torch; the file beside it is its output:
    python make_losses.py
Predictions, targets and weights are float32 numbers, so that both sides start from the same bits.
Row 1 has weight 0. Some logits are +-100 and +-1e4. Gradients are those of 1.5 times the loss.
"""
import pathlib

import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).parent


def write_tensor(out, name, tensor):
    kinds = {torch.float32: "f32", torch.float64: "f64", torch.int32: "i32"}
    digits = {torch.float32: "%.9g", torch.float64: "%.17g"}.get(tensor.dtype, "%d")
    shape = "x".join(map(str, tensor.shape))
    out.write(f"tensor {name} {kinds[tensor.dtype]} {shape}\n")
    for row in tensor.reshape(-1, tensor.shape[-1]).tolist():
        out.write(" ".join(digits % value for value in row) + "\n")


def write_loss(out, name, predictions, loss_of):
    leaf = predictions.double().requires_grad_()
    loss = loss_of(leaf)
    (1.5 * loss).backward()
    write_tensor(out, name + ".loss", loss.detach().reshape(1))
    write_tensor(out, name + ".gradient", leaf.grad)


def main():
    torch.manual_seed(9)
    weights = torch.rand(7) + 0.1
    weights[1] = 0
    with open(FOLDER / "losses.txt", "w") as out:
        write_tensor(out, "weights", weights)
        rows = weights.double()[:, None]

        logits = torch.randn(7, 5) * 3
        logits[2] = torch.tensor([100.0, -100.0, 1e4, -1e4, 0.0])
        targets = torch.rand(7, 5)
        targets[2:4] = (targets[2:4] > 0.5).float()
        write_tensor(out, "bce.logits", logits)
        write_tensor(out, "bce.targets", targets)
        write_loss(out, "bce", logits, lambda x: (rows * F.binary_cross_entropy_with_logits(
            x, targets.double(), reduction="none")).sum())

        logits = torch.randn(7, 6) * 3
        logits[2] = torch.tensor([100.0, -100.0, 1e4, -1e4, 0.0, 9.9e3])
        labels = torch.tensor([0, 3, 1, 5, 2, 4, 0])
        write_tensor(out, "cross_entropy.logits", logits)
        write_tensor(out, "cross_entropy.labels", labels.int())
        write_loss(out, "cross_entropy", logits, lambda x: (rows[:, 0] * F.cross_entropy(
            x, labels, reduction="none")).sum())

        predictions = torch.randn(7, 4)
        targets = torch.randn(7, 4)
        predictions[3] = targets[3] + torch.tensor([0.0, 0.01, -0.05, 0.2])
        predictions[3, 0] = targets[3, 0]
        write_tensor(out, "smooth_l1.predictions", predictions)
        write_tensor(out, "smooth_l1.targets", targets)
        for name, beta in [("smooth_l1_0", 0.0), ("smooth_l1_8th", 0.125), ("smooth_l1_1", 1.0)]:
            write_loss(out, name, predictions, lambda x: (
                rows * F.smooth_l1_loss(x, targets.double(), beta=beta, reduction="none")).sum())


main()
