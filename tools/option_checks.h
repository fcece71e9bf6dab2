// Checks of option values, for CLI11, that say what was wrong in plain words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class Validator;
}

namespace mrcnn {

// Finite numbers only, unlike CLI::Range, which NaN passes.
CLI::Validator number_between(double low, double high);
CLI::Validator whole_number_between(int64_t low, int64_t high);
// Names the nearest one for a word that is none of them.
CLI::Validator one_of(const std::vector<std::string>& words);
CLI::Validator not_empty();

}  // namespace mrcnn
