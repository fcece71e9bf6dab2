// Linked into a program for a test, it makes the program obey the orders in MRCNN_FAULT.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "tests/support/faults.h"

namespace mrcnn::test {
namespace {

std::unique_ptr<Faults> faults_of_environment() {
  const char* orders = std::getenv("MRCNN_FAULT");
  if (orders == nullptr) return nullptr;
  try {
    return std::make_unique<Faults>(orders);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "MRCNN_FAULT: %s\n", error.what());
    std::exit(2);
  }
}

const std::unique_ptr<Faults> g_from_environment = faults_of_environment();

}  // namespace
}  // namespace mrcnn::test
