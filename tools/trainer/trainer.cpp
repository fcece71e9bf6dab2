#include "tools/trainer/trainer.h"

#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/run.h"

namespace mrcnn {

ExitCode run_training(const TrainerOptions& options) {
  check_config(options.config);
  if (options.config.out.empty()) throw UsageError("no folder for the run is given: --out DIR");
  const DeviceChoice device = choose_device(options.config.device);
  std::error_code error;
  std::filesystem::create_directories(options.config.out, error);
  if (error) {
    throw FileError(ExitCode::kResources, options.config.out, "",
                    "cannot be made: " + error.message());
  }
  Run run(options, device);
  return run.go();
}

}  // namespace mrcnn
