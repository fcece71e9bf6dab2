// What is told of a training step: on the screen and in the logs.
#pragma once

#include "tools/trainer/step.h"
#include "tools/trainer/step_log.h"
#include "tools/trainer/training_line.h"

namespace mrcnn {

// Step, losses and their parts; the rest is the run's to fill in.
TrainingView view_of(const StepLosses& losses);

LogRecord record_of(const TrainingView& view);

}  // namespace mrcnn
