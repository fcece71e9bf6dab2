#include "tools/bench/report.h"

#include <fmt/core.h>

#include "core/io/file.h"
#include "core/parallel.h"
#include "tools/report/json_writer.h"

namespace mrcnn {
namespace {

// Calls `body` with a writer whose document becomes the file.
template <typename Body>
void write_json_file(const std::string& path, Body body) {
  AtomicFile file(path);
  JsonWriter json([&file](std::string_view text) {
    file.write(std::as_bytes(std::span<const char>(text.data(), text.size())));
  });
  body(json);
  json.finish();
  file.commit();
}

void write_summary(JsonWriter& json, const std::vector<double>& samples_ms) {
  const TimingSummary summary = summarize_samples(samples_ms);
  json.member("median_ms", summary.median_ms);
  json.member("p90_ms", summary.p90_ms);
  json.member("min_ms", summary.min_ms);
}

void write_samples(JsonWriter& json, const char* name, const std::vector<double>& samples) {
  json.key(name);
  json.begin_array();
  for (const double sample : samples) json.value(sample);
  json.end_array();
}

void write_settings(JsonWriter& json, const BenchSettings& settings) {
  json.begin_object();
  for (const auto& [name, text] :
       {std::pair{"model", settings.model}, std::pair{"weights", settings.weights},
        std::pair{"image", settings.image}, std::pair{"device", settings.device},
        std::pair{"precision", settings.precision}}) {
    json.member(name, text);
  }
  for (const auto& [name, number] :
       {std::pair{"height", settings.height}, std::pair{"width", settings.width},
        std::pair{"batch", settings.batch},
        std::pair{"threads", static_cast<int64_t>(num_threads())},
        std::pair{"repeat", static_cast<int64_t>(settings.repeat)}}) {
    json.member(name, number);
  }
  json.end_object();
}

void write_stages(JsonWriter& json, const std::vector<StageClock::Row>& stages) {
  json.key("stages");
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (const StageClock::Row& row : stages) {
    json.begin_object();
    json.member("stage", row.stage);
    write_summary(json, row.samples_ms);
    write_samples(json, "samples_ms", row.samples_ms);
    json.end_object();
  }
  json.end_array();
}

void write_detections(JsonWriter& json, const Instances& found) {
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (int64_t i = 0; i < found.size(); ++i) {
    json.begin_object();
    json.key("box");
    json.begin_array();
    for (int64_t k = 0; k < 4; ++k) json.value(found.boxes.data<const float>()[i * 4 + k]);
    json.end_array();
    json.member("label", found.labels.data<const int64_t>()[i]);
    json.member("score", found.scores.data<const float>()[i]);
    json.end_object();
  }
  json.end_array();
}

void print_stages(const BenchSettings& settings, const std::vector<StageClock::Row>& stages) {
  fmt::print("{}, {} ({}x{}), batch {}, {}, {}, {} threads, {} repetitions\n", settings.model,
             settings.image, settings.height, settings.width, settings.batch, settings.device,
             settings.precision, num_threads(), settings.repeat);
  fmt::print("{:<14} {:>10} {:>10} {:>10}\n", "stage", "median ms", "p90 ms", "min ms");
  for (const StageClock::Row& row : stages) {
    const TimingSummary summary = summarize_samples(row.samples_ms);
    fmt::print("{:<14} {:>10.2f} {:>10.2f} {:>10.2f}\n", row.stage, summary.median_ms,
               summary.p90_ms, summary.min_ms);
  }
}

double images_per_second(const BenchSettings& settings,
                         const std::vector<StageClock::Row>& stages) {
  const double total_ms = summarize_samples(stages.back().samples_ms).median_ms;
  return 1000.0 * static_cast<double>(settings.batch) / total_ms;
}

}  // namespace

void print_infer_bench(const BenchSettings& settings, const InferBenchResult& result) {
  print_stages(settings, result.stages);
  fmt::print("{} detections, {:.1f} MiB of tensors at the peak\n", result.detections.size(),
             static_cast<double>(result.peak_tensor_bytes) / (1024.0 * 1024.0));
  if (settings.device == "cpu") return;
  const DeviceCounters& host = result.per_repetition;
  fmt::print(
      "per repetition: {} graph launches with {} nodes, {} launches beside them, {} waits, {} "
      "uploads, {} downloads\n",
      host.graph_launches, host.graph_launches > 0 ? result.graph_nodes : 0, host.launches,
      host.syncs, host.uploads, host.downloads);
}

void write_infer_bench(const std::string& path, const BenchSettings& settings,
                       const InferBenchResult& result) {
  write_json_file(path, [&](JsonWriter& json) {
    json.begin_object();
    json.key("settings");
    write_settings(json, settings);
    write_stages(json, result.stages);
    json.member("peak_tensor_bytes", result.peak_tensor_bytes);
    for (const auto& [name, number] :
         {std::pair{"launches", result.per_repetition.launches},
          std::pair{"graph_launches", result.per_repetition.graph_launches},
          std::pair{"graph_nodes", result.graph_nodes},
          std::pair{"syncs", result.per_repetition.syncs},
          std::pair{"uploads", result.per_repetition.uploads},
          std::pair{"downloads", result.per_repetition.downloads}}) {
      json.member(name, number);
    }
    json.key("detections");
    write_detections(json, result.detections);
    json.end_object();
  });
}

void print_train_bench(const BenchSettings& settings, const TrainBenchResult& result) {
  print_stages(settings, result.stages);
  fmt::print("{:.3f} images/s, {:.1f} MiB of tensors at the peak\nfirst step's losses:",
             images_per_second(settings, result.stages),
             static_cast<double>(result.peak_tensor_bytes) / (1024.0 * 1024.0));
  for (size_t k = 0; k < kLossNames.size(); ++k) {
    fmt::print(" {} {:.6g}", kLossNames[k], result.losses[k]);
  }
  fmt::print("\n");
  if (settings.device == "cpu") return;
  const DeviceCounters& host = result.per_repetition;
  fmt::print("per repetition: {} launches, {} waits, {} uploads, {} downloads\n", host.launches,
             host.syncs, host.uploads, host.downloads);
}

void write_train_bench(const std::string& path, const BenchSettings& settings,
                       const TrainBenchResult& result) {
  write_json_file(path, [&](JsonWriter& json) {
    json.begin_object();
    json.key("settings");
    write_settings(json, settings);
    write_stages(json, result.stages);
    json.member("images_per_second", images_per_second(settings, result.stages));
    for (const auto& [name, value] : {std::pair{"peak_tensor_bytes", result.peak_tensor_bytes},
                                      std::pair{"launches", result.per_repetition.launches},
                                      std::pair{"syncs", result.per_repetition.syncs},
                                      std::pair{"uploads", result.per_repetition.uploads},
                                      std::pair{"downloads", result.per_repetition.downloads}}) {
      json.member(name, value);
    }
    json.key("losses");
    json.begin_object();
    for (size_t k = 0; k < kLossNames.size(); ++k) {
      json.member(kLossNames[k], result.losses[k]);
    }
    json.end_object();
    json.end_object();
  });
}

void print_op_bench(const std::vector<OpSample>& samples) {
  fmt::print("{} threads\n{:<44} {:>10} {:>10} {:>10}\n", num_threads(), "op", "median ms",
             "p90 ms", "min ms");
  for (const OpSample& sample : samples) {
    const TimingSummary summary = summarize_samples(sample.samples_ms);
    fmt::print("{:<44} {:>10.3f} {:>10.3f} {:>10.3f}\n", sample.op, summary.median_ms,
               summary.p90_ms, summary.min_ms);
  }
}

void write_op_bench(const std::string& path, const std::vector<OpSample>& samples) {
  write_json_file(path, [&](JsonWriter& json) {
    json.begin_object();
    json.key("ops");
    json.begin_array(JsonWriter::Layout::kLinePerItem);
    for (const OpSample& sample : samples) {
      json.begin_object();
      json.member("op", sample.op);
      write_summary(json, sample.samples_ms);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  });
}

void print_loader_bench(const LoaderBenchSettings& settings, const LoaderBenchResult& result) {
  const LoaderBenchOptions& options = settings.options;
  fmt::print(
      "{}: mean {:.0f} pixels, {:.0f} bytes, {:.1f} objects\nbatch {}, {} loader threads, op on {} "
      "with {} threads, short side {}, {} repetitions of {} images\n{:<24} {:>9} {:>12} {:>9} "
      "{:>9} {:>9}\n",
      settings.photos, result.pixels, result.file_bytes, result.objects, options.batch,
      options.threads, settings.device, num_threads(), options.min_size, options.repeat,
      options.images, "stage", "images/s", "images/s/core", "median ms", "p90 ms", "cpu ms");
  for (const LoaderStage& stage : result.stages) {
    const TimingSummary wall = summarize_samples(stage.wall_ms);
    const double cpu_ms = summarize_samples(stage.cpu_ms).median_ms;
    fmt::print("{:<24} {:>9.1f} {:>13.1f} {:>9.3f} {:>9.3f} {:>9.3f}\n", stage.name,
               1000 / wall.median_ms, 1000 / cpu_ms, wall.median_ms, wall.p90_ms, cpu_ms);
  }
}

void write_loader_bench(const std::string& path, const LoaderBenchSettings& settings,
                        const LoaderBenchResult& result) {
  const LoaderBenchOptions& options = settings.options;
  write_json_file(path, [&](JsonWriter& json) {
    json.begin_object();
    json.key("settings");
    json.begin_object();
    for (const auto& [name, text] :
         {std::pair{"photos", settings.photos}, std::pair{"device", settings.device}}) {
      json.member(name, text);
    }
    for (const auto& [name, number] :
         {std::pair{"images", options.images}, std::pair{"batch", options.batch},
          std::pair{"min_size", options.min_size},
          std::pair{"loader_threads", static_cast<int64_t>(options.threads)},
          std::pair{"threads", static_cast<int64_t>(num_threads())},
          std::pair{"repeat", static_cast<int64_t>(options.repeat)}}) {
      json.member(name, number);
    }
    json.end_object();
    for (const auto& [name, mean] :
         {std::pair{"file_bytes", result.file_bytes}, std::pair{"pixels", result.pixels},
          std::pair{"objects", result.objects}}) {
      json.member(name, mean);
    }
    json.key("stages");
    json.begin_array(JsonWriter::Layout::kLinePerItem);
    for (const LoaderStage& stage : result.stages) {
      const double wall_ms = summarize_samples(stage.wall_ms).median_ms;
      const double cpu_ms = summarize_samples(stage.cpu_ms).median_ms;
      json.begin_object();
      json.member("stage", stage.name);
      for (const auto& [name, value] :
           {std::pair{"median_ms", wall_ms}, std::pair{"median_cpu_ms", cpu_ms},
            std::pair{"images_per_second", 1000 / wall_ms},
            std::pair{"images_per_second_per_core", 1000 / cpu_ms}}) {
        json.member(name, value);
      }
      write_samples(json, "samples_ms", stage.wall_ms);
      write_samples(json, "samples_cpu_ms", stage.cpu_ms);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  });
}

}  // namespace mrcnn
