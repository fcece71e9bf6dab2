#include "tools/trainer/gpu_info.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>

#include "core/io/file.h"
#include "tools/report/json_writer.h"

namespace mrcnn {
namespace {

constexpr const char* kModel = "maskrcnn";

struct Properties {
  std::string name;
  std::array<int64_t, 2> capability{};
  int64_t sm_count = 0;
  double memory_gib = 0;
};

struct Gpu {
  using Speeds = std::vector<std::array<double, 2>>;
  std::map<std::string, std::map<std::string, Speeds>> performance;  // by number of GPUs, model
  Properties properties;
};
using GpuInfo = std::map<std::string, Gpu>;

double rounded(double value) { return std::round(value * 100) / 100; }

template <typename T>
std::array<T, 2> read_pair(simdjson::dom::element pair) {
  return {T(pair.at(0)), T(pair.at(1))};
}

Gpu read_gpu(simdjson::dom::element element) {
  Gpu gpu;
  for (const auto [count, models] : simdjson::dom::object(element["performance"])) {
    for (const auto [model, speeds] : simdjson::dom::object(models)) {
      Gpu::Speeds& list = gpu.performance[std::string(count)][std::string(model)];
      for (const simdjson::dom::element speed : simdjson::dom::array(speeds)) {
        list.push_back(read_pair<double>(speed));
      }
    }
  }
  const simdjson::dom::element properties = element["properties"];
  gpu.properties.name = std::string_view(properties["name"]);
  gpu.properties.capability = read_pair<int64_t>(properties["capability"]);
  gpu.properties.sm_count = properties["sm_count"];
  gpu.properties.memory_gib = properties["total_momory"];
  return gpu;
}

// Nothing if the file holds something else.
std::optional<GpuInfo> read_info(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return GpuInfo{};
  const FileBytes file = read_file(path, ExitCode::kData);
  if (file.bytes.empty()) return std::nullopt;  // the parser wants an address even of nothing
  const auto* text = static_cast<const char*>(static_cast<const void*>(file.bytes.data()));
  try {
    simdjson::dom::parser parser;
    GpuInfo info;
    const simdjson::dom::object root = parser.parse(text, file.bytes.size());
    for (const auto [name, gpu] : root) info[std::string(name)] = read_gpu(gpu);
    return info;
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

void write_gpu(JsonWriter& json, const Gpu& gpu) {
  json.begin_object();
  json.key("performance");
  json.begin_object();
  for (const auto& [count, models] : gpu.performance) {
    json.key(count);
    json.begin_object();
    for (const auto& [model, speeds] : models) {
      json.key(model);
      json.begin_array();
      for (const auto& [train, evaluate] : speeds) {
        json.begin_array();
        json.value(train);
        json.value(evaluate);
        json.end_array();
      }
      json.end_array();
    }
    json.end_object();
  }
  json.end_object();
  json.key("properties");
  json.begin_object();
  json.key("capability");
  json.begin_array();
  for (const int64_t part : gpu.properties.capability) json.value(part);
  json.end_array();
  json.member("name", gpu.properties.name);
  json.member("sm_count", gpu.properties.sm_count);
  json.member("total_momory", gpu.properties.memory_gib);
  json.end_object();
  json.end_object();
}

void write_info(const std::string& path, const GpuInfo& info) {
  AtomicFile file(path);
  JsonWriter json([&file](std::string_view text) {
    file.write(std::as_bytes(std::span<const char>(text.data(), text.size())));
  });
  json.begin_object();
  for (const auto& [name, gpu] : info) {
    json.key(name);
    write_gpu(json, gpu);
  }
  json.end_object();
  json.finish();
  file.commit();
}

Properties properties_of(const CudaProperties& gpu) {
  return {.name = gpu.name,
          .capability = {gpu.major, gpu.minor},
          .sm_count = gpu.sm_count,
          .memory_gib = rounded(static_cast<double>(gpu.memory_bytes) / 0x1p30)};
}

}  // namespace

std::string record_gpu_speed(const std::string& path, const std::vector<CudaProperties>& gpus,
                             const GpuSpeed& speed) {
  if (gpus.empty()) return "";
  const std::string& name = gpus.front().name;
  const bool alike = std::all_of(gpus.begin(), gpus.end(),
                                 [&name](const CudaProperties& gpu) { return gpu.name == name; });
  if (!alike) return "";
  std::optional<GpuInfo> info = read_info(path);
  if (!info) return path + " is no record of GPUs' speeds and is left alone";
  Gpu& gpu = (*info)[name];
  gpu.properties = properties_of(gpus.front());
  gpu.performance[std::to_string(gpus.size())][kModel].push_back(
      {rounded(speed.train), rounded(speed.evaluate)});
  write_info(path, *info);
  return "";
}

}  // namespace mrcnn
