#include "tools/trainer/resume.h"

#include <utility>
#include <vector>

#include "core/error.h"
#include "tools/trainer/config_file.h"

namespace mrcnn {

std::optional<ResumePoint> find_resume_point(const TrainConfig& config, bool resume,
                                             CheckpointDirectory& checkpoints,
                                             const std::function<void(const std::string&)>& say) {
  const bool used = !checkpoints.steps().empty();
  if (!resume && !config.auto_resume) {
    if (used) {
      throw UsageError(config.out +
                       " holds the checkpoints of a run: --resume goes on with it, another --out "
                       "starts a new one");
    }
    return std::nullopt;
  }
  checkpoints.remove_leftovers();
  ResumeSearch search = checkpoints.find_newest();
  for (const DamagedCheckpoint& damaged : search.damaged) say("passed over: " + damaged.problem);
  if (!search.found && used) {
    throw Error(ExitCode::kModel, config.out + ": every checkpoint is damaged");
  }
  if (!search.found && resume) say("nothing to resume in " + config.out + ": starting");
  return std::move(search.found);
}

TrainFacts facts_of_run(const TrainConfig& config, const Dataset& train,
                        const MetricHistory& history) {
  TrainFacts facts;
  facts.seed = config.seed;
  facts.data_fingerprint = train.fingerprint();
  facts.config = config_text(config);
  facts.config_hash = config_hash(config);
  facts.history = history.text();
  if (!history.entries().empty()) facts.metrics = history.entries().back().values;
  if (const auto best = history.best(config.best_metric)) {
    facts.best_metric = best->value;
    facts.best_step = best->step;
  }
  return facts;
}

void check_same_run(const TrainConfig& config, const ResumePoint& point, const Dataset& train) {
  const std::vector<std::string> changes =
      changed_settings(parse_config(point.facts.config, point.path), config);
  if (!changes.empty()) {
    std::string text;
    for (const std::string& change : changes) text += (text.empty() ? " " : "; ") + change;
    throw UsageError("a resumed run cannot change what its weights depend on:" + text);
  }
  if (point.facts.data_fingerprint != train.fingerprint()) {
    throw UsageError(train.name() + " is not the data that " + point.path + " was trained on");
  }
}

}  // namespace mrcnn
