"""Random numbers by the rule of core/random.h, so that a golden need not hold what it was made from."""

import numpy as np

TEST = 5  # RandomPurpose of core/random.h
MASK32 = np.uint64(0xFFFFFFFF)
MASK64 = (1 << 64) - 1


def philox_words(seed, purpose, step, index):
    """RandomStream{seed, purpose, step}.word(index) for an array of indices (core/random.h)."""
    index = np.asarray(index, np.uint64)
    block = index // np.uint64(4)
    counter = [block & MASK32, block >> np.uint64(32),
               np.full_like(block, step), np.full_like(block, purpose)]
    key = [np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)]
    for _ in range(10):
        low, high = np.uint64(0xD2511F53) * counter[0], np.uint64(0xCD9E8D57) * counter[2]
        counter = [(high >> np.uint64(32)) ^ counter[1] ^ key[0], high & MASK32,
                   (low >> np.uint64(32)) ^ counter[3] ^ key[1], low & MASK32]
        key = [(key[0] + np.uint64(0x9E3779B9)) & MASK32, (key[1] + np.uint64(0xBB67AE85)) & MASK32]
    return np.choose((index % np.uint64(4)).astype(np.int64), counter)


class Draws:
    """Numbers one after another; tests/support/draws.h is the same in C++."""

    def __init__(self, seed, step):
        self.seed, self.step, self.words, self.next = seed, step, [], 0

    def below(self, limit):
        if self.next == len(self.words):
            more = np.arange(self.next, 2 * self.next + 64)
            self.words += [int(w) for w in philox_words(self.seed, TEST, self.step, more)]
        self.next += 1
        return self.words[self.next - 1] * limit >> 32


def fnv1a64(data):
    """core/fnv1a.h, as the int64 that holds the same bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value - (1 << 64) if value >> 63 else value
