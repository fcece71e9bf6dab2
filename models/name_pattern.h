// Renaming by patterns: in a pattern "#" stands for a number and a final "*" for any rest; in the
// replacement "{0}", "{1+1}", "{2-2}" stand for the numbers in order, shifted, "*" for the rest.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mrcnn {

struct NameRule {
  std::string_view pattern;
  std::string_view replacement;  // "": names like this are known and not needed
};

// The new name by the first rule that fits, which may be ""; nothing if none fits.
std::optional<std::string> rename_by_rules(std::string_view name, std::span<const NameRule> rules);

}  // namespace mrcnn
