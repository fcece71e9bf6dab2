#include "data/voc/voc.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/io/sha256.h"
#include "core/parallel.h"
#include "data/masks/rle.h"
#include "data/voc/entry.h"
#include "data/voc/layout.h"

namespace mrcnn {
namespace {

// The number that the digits of a name give, if that is at most 2^53 (what JSON readers can hold).
std::optional<int64_t> number_in(const std::string& name) {
  std::string digits;
  std::copy_if(name.begin(), name.end(), std::back_inserter(digits),
               [](char c) { return c >= '0' && c <= '9'; });
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (digits.empty() || parsed.ec != std::errc() || value > int64_t{1} << 53) return std::nullopt;
  return value;
}

std::vector<int64_t> image_ids(const std::vector<std::string>& names) {
  std::vector<int64_t> ids;
  std::set<int64_t> distinct;
  for (const std::string& name : names) {
    const std::optional<int64_t> number = number_in(name);
    if (number) distinct.insert(*number);
    ids.push_back(number.value_or(0));
  }
  if (distinct.size() == names.size()) return ids;
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i) + 1;
  return ids;
}

void sort_as_original(std::vector<std::string>& names) {
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return number_in(a).value_or(0) < number_in(b).value_or(0);
  });
}

std::vector<DatasetClass> classes_of(const VocOptions& options) {
  const std::vector<std::string>& names =
      options.classes.empty() ? voc_class_names() : options.classes;
  std::vector<DatasetClass> classes;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty() || !seen.insert(name).second) {
      throw UsageError(fmt::format("class names must differ and not be empty: '{}'", name));
    }
    const auto label = static_cast<int64_t>(classes.size()) + 1;
    classes.push_back({label, label, name});
  }
  return classes;
}

class Voc final : public VocDataset {
 public:
  Voc(const std::string& dir, const std::string& split, const VocOptions& options)
      : classes_(classes_of(options)) {
    const std::string root = find_voc_root(dir);
    name_ = voc_split_path(root, split);
    std::vector<std::string> names = read_voc_split(root, split);
    if (options.compat) sort_as_original(names);
    const std::vector<int64_t> ids = image_ids(names);
    std::vector<VocEntry> entries = load_all(root, names, options.compat);
    int64_t next_object = 1;
    for (size_t i = 0; i < entries.size(); ++i) {
      VocEntry& entry = entries[i];
      if (!entry.mismatch.empty()) {
        if (options.mismatch == VocOptions::Mismatch::kFail) {
          throw FileError(ExitCode::kData, voc_annotation_path(root, names[i]), "",
                          entry.mismatch + " in " + voc_mask_path(root, names[i]));
        }
        dropped_.push_back({names[i], entry.mismatch});
        continue;
      }
      entry.image.id = options.compat ? static_cast<int64_t>(entries_.size()) : ids[i];
      for (DatasetObject& object : entry.objects) object.id = next_object++;
      entries_.push_back(std::move(entry));
    }
    if (entries_.empty()) {
      throw FileError(ExitCode::kData, name_, "",
                      fmt::format("no image can be used; the first, {}: {}", dropped_[0].name,
                                  dropped_[0].problem));
    }
    fingerprint_ = compute_fingerprint();
  }

  const std::string& name() const override { return name_; }
  int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t index) const override {
    return entries_.at(static_cast<size_t>(index)).image;
  }
  std::vector<DatasetObject> objects(int64_t index) const override {
    return entries_.at(static_cast<size_t>(index)).objects;
  }
  std::string fingerprint() const override { return fingerprint_; }
  const std::vector<VocDropped>& dropped() const override { return dropped_; }

 private:
  std::vector<VocEntry> load_all(const std::string& root, const std::vector<std::string>& names,
                                 bool compat) const {
    std::vector<VocEntry> entries(names.size());
    // Kept by image, so that the first bad one is named whatever the threads do.
    std::vector<std::exception_ptr> failures(names.size());
    parallel_for(0, static_cast<int64_t>(names.size()), 4, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        try {
          entries[i] = load_voc_entry(root, names[i], classes_, compat);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      }
    });
    for (const std::exception_ptr& failure : failures) {
      if (failure != nullptr) std::rethrow_exception(failure);
    }
    return entries;
  }

  std::string compute_fingerprint() const {
    std::string text;
    for (const DatasetClass& one : classes_) {
      text += fmt::format("class {} {}\n", one.label, one.name);
    }
    for (const VocEntry& entry : entries_) {
      const DatasetImage& image = entry.image;
      text +=
          fmt::format("image {} {} {} {}\n", image.id, image.height, image.width, image.file_name);
      for (const DatasetObject& object : entry.objects) {
        text += fmt::format("object {} {} {} {} {}\n", object.label, fmt::join(object.box, " "),
                            object.area, object.difficult, rle_to_string(object.mask));
      }
    }
    return sha256_hex(std::as_bytes(std::span(text)));
  }

  std::vector<DatasetClass> classes_;
  std::string name_;
  std::vector<VocEntry> entries_;
  std::vector<VocDropped> dropped_;
  std::string fingerprint_;
};

}  // namespace

const std::vector<std::string>& voc_class_names() {
  // Source: the development kit of PASCAL VOC 2012, VOCinit.m.
  static const std::vector<std::string> names = {
      "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",      "car",
      "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",    "motorbike",
      "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};
  return names;
}

bool is_voc_folder(const std::string& dir) { return !voc_roots(dir).empty(); }

std::unique_ptr<VocDataset> open_voc(const std::string& dir, const std::string& split,
                                     const VocOptions& options) {
  return std::make_unique<Voc>(dir, split, options);
}

}  // namespace mrcnn
