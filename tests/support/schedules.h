// How often and in which orders of threads a device test runs.
#pragma once

#include <functional>

namespace mrcnn::test {

void on_each_schedule(const std::function<void()>& body, int most);

}  // namespace mrcnn::test
