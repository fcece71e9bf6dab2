// What `dataset check` found, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/doctor/cleaned_copy.h"
#include "data/doctor/doctor.h"

namespace mrcnn {

// Findings by kind, the worst first, with at most `examples` of each kind (0: all), and a last line
// with the totals.
std::string format_check_report(const DoctorReport& report, int64_t examples);

// What a cleaned copy changed, by remedy, and what it left.
std::string format_cleaned(const DoctorReport& report, const CleanedCounts& counts,
                           const std::string& out_path);

// Findings of this severity that a cleaned copy still has.
int64_t count_left(const DoctorReport& report, Severity severity);

// One object: totals, kinds with their counts, all findings, one a line. Written atomically.
void write_check_json(const std::string& path, const DoctorReport& report,
                      const std::optional<CleanedCounts>& cleaned);

}  // namespace mrcnn
