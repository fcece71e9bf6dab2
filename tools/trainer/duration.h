// Spans of time as people write them.
#pragma once

#include <string>
#include <string_view>

namespace mrcnn {

// "90m", "2h", "1h30m", "45s", "1.5h", "1d": numbers with units d, h, m, s, from large to small,
// each at most once. Returns seconds, above 0 and at most ten years. Throws UsageError that says
// what is wrong; a bare number is refused because its unit could only be guessed.
double parse_duration(std::string_view text);

// The same span in that form: "1h30m". Reads back to the same number of seconds.
std::string duration_text(double seconds);

}  // namespace mrcnn
