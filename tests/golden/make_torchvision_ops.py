"""Packs a folder of op goldens (*.npz, inputs and outputs of single torchvision ops) into one file.

    python make_torchvision_ops.py FOLDER

writes torchvision_ops.safetensors beside this script; a tensor's name is "<file>/<array>". The arrays
were computed with torch 1.13.1 and torchvision 0.14.1 on a CPU from seed 7.
"""

import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent


def main():
    tensors = {}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                # A scalar stays a scalar; ascontiguousarray alone would make it one-dimensional.
                array = np.asarray(arrays[name])
                tensors[f"{path.stem}/{name}"] = np.ascontiguousarray(array).reshape(array.shape)
    save_file(tensors, HERE / "torchvision_ops.safetensors")
    print(len(tensors), "tensors,", sum(t.nbytes for t in tensors.values()), "bytes")


if __name__ == "__main__":
    main()
