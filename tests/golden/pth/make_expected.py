"""Writes expected.txt: what torch and numpy read from the checkpoints in this folder.

Run: python3 make_expected.py   (any torch >= 1.13, numpy)
"""
import hashlib
import pathlib
import pickle

import numpy
import torch

SHORT = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int64": "i64",
         "int32": "i32", "int16": "i16", "int8": "i8", "uint8": "u8", "bool": "bool"}


def walk(value, path):
    if isinstance(value, (torch.Tensor, numpy.ndarray)):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{path}/{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from walk(item, f"{path}/{index}" if path else str(index))


def raw_bytes(value):
    if isinstance(value, numpy.ndarray):
        return value.tobytes()
    value = value.detach().contiguous()
    return bytes(value.reshape(-1).view(torch.uint8).tolist())


def load(path):
    if path.suffix == ".pkl":
        with open(path, "rb") as file:
            return pickle.load(file, encoding="latin1")["model"]
    return torch.load(path, map_location="cpu", weights_only=False)


here = pathlib.Path(__file__).parent
lines = []
for file in sorted(p for p in here.rglob("*") if p.suffix in (".pth", ".pt", ".pkl")):
    for name, value in walk(load(file), ""):
        dtype = SHORT[str(value.dtype).replace("torch.", "")]
        shape = ",".join(str(n) for n in value.shape)
        digest = hashlib.sha256(raw_bytes(value)).hexdigest()
        lines.append(f"{file.relative_to(here)} {digest} {dtype} [{shape}] {name}")
(here / "expected.txt").write_text("\n".join(lines) + "\n")
