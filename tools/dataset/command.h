// A command of `dataset`: what the command line says, and what is done then.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace mrcnn {

struct DatasetCommand {
  CLI::App* app = nullptr;  // the subcommand; chosen if the command line named it
  std::function<int()> run = {};
};

}  // namespace mrcnn
