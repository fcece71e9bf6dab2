// What a proposal is ranked by, shared by host and device.
#pragma once

#include <cmath>

#include "core/host_device.h"
#include "kernels/detection/rpn_proposals.h"

namespace mrcnn {

HOST_DEVICE inline float proposal_score(float logit, ProposalScore kind) {
  return kind == ProposalScore::kLogit ? logit : 1.0F / (1.0F + std::exp(-logit));
}

}  // namespace mrcnn
