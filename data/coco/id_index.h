// Finds rows by id: a hash table without removal.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mrcnn {

class IdIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit IdIndex(size_t num_ids)
      : mask_(std::bit_ceil(2 * num_ids + 1) - 1), slots_(mask_ + 1, Slot{0, kNone}) {}

  // False, and nothing changes, if the id is there. Row kNone is taken for absence.
  bool insert(int64_t id, uint32_t row) {
    Slot& slot = slots_[slot_of(id)];
    if (slot.row != kNone) return false;
    slot = {id, row};
    return true;
  }

  uint32_t find(int64_t id) const { return slots_[slot_of(id)].row; }  // kNone if it is not there

 private:
  struct Slot {
    int64_t id;
    uint32_t row;
  };

  // Where the id is or belongs. At least half of the slots are free.
  size_t slot_of(int64_t id) const {
    constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio: spreads runs of ids
    const uint64_t spread = static_cast<uint64_t>(id) * kGolden;
    size_t at = (spread ^ spread >> 32) & mask_;
    while (slots_[at].row != kNone && slots_[at].id != id) at = (at + 1) & mask_;
    return at;
  }

  size_t mask_;
  std::vector<Slot> slots_;
};

}  // namespace mrcnn
