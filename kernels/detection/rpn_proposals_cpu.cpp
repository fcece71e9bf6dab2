#include "kernels/detection/rpn_proposals.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/parallel.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/rpn_proposals_math.h"
#include "kernels/detection/topk.h"

namespace mrcnn::cpu {
namespace {

struct Proposal {
  Box box;
  float score;
  float logit;
};

// The best of one level of one image, by falling logit.
std::vector<Proposal> decode_level(const RpnLevelView& level, int64_t image, const ImageSize& size,
                                   const RpnProposalParams& params) {
  const int64_t k = std::min(params.pre_nms_top_n, level.count);
  std::vector<float> logits(static_cast<size_t>(k));
  std::vector<int32_t> indices(static_cast<size_t>(k));
  topk(1, level.count, k, level.logits + image * level.count, logits.data(), indices.data());
  const float* deltas = level.deltas + image * level.count * 4;
  std::vector<Proposal> proposals;
  proposals.reserve(static_cast<size_t>(k));
  for (size_t i = 0; i < logits.size(); ++i) {
    const int64_t index = indices[i];
    const Box anchor = grid_anchor(level.grid, level.base_anchors, index);
    const Box box = clip_box(decode_box(deltas + 4 * index, anchor, params.weights),
                             static_cast<float>(size.height), static_cast<float>(size.width));
    if (!has_min_size(box, params.min_size) || std::isnan(logits[i])) continue;
    proposals.push_back({box, proposal_score(logits[i], params.score), logits[i]});
  }
  return proposals;
}

// Proposals of one image with their NMS groups.
struct ImageProposals {
  std::vector<Proposal> proposals;
  std::vector<int32_t> groups;
};

ImageProposals join_levels(std::span<const std::vector<Proposal>> levels,
                           const RpnProposalParams& params) {
  ImageProposals image;
  for (size_t level = 0; level < levels.size(); ++level) {
    image.proposals.insert(image.proposals.end(), levels[level].begin(), levels[level].end());
    image.groups.resize(image.proposals.size(),
                        params.joint_levels ? 0 : static_cast<int32_t>(level));
  }
  if (!params.joint_levels) return image;
  std::stable_sort(image.proposals.begin(), image.proposals.end(),
                   [](const Proposal& a, const Proposal& b) { return a.logit > b.logit; });
  const auto limit = static_cast<size_t>(params.pre_nms_top_n);
  if (image.proposals.size() > limit) {
    image.proposals.erase(image.proposals.begin() + params.pre_nms_top_n, image.proposals.end());
    image.groups.resize(limit);
  }
  return image;
}

// [images, capacity] buffers for nms.
struct NmsInput {
  std::vector<float> boxes;
  std::vector<float> scores;
  std::vector<int32_t> groups;
  std::vector<int32_t> count;
  int64_t capacity = 0;
};

NmsInput pack(const std::vector<ImageProposals>& images) {
  NmsInput input;
  size_t capacity = 0;
  for (const ImageProposals& image : images) capacity = std::max(capacity, image.groups.size());
  input.capacity = static_cast<int64_t>(capacity);
  input.boxes.resize(images.size() * capacity * 4);
  input.scores.resize(images.size() * capacity);
  input.groups.resize(images.size() * capacity);
  for (size_t n = 0; n < images.size(); ++n) {
    float* box = input.boxes.data() + n * capacity * 4;
    for (size_t i = 0; i < images[n].proposals.size(); ++i) {
      const Proposal& proposal = images[n].proposals[i];
      for (const float edge :
           {proposal.box.x1, proposal.box.y1, proposal.box.x2, proposal.box.y2}) {
        *box++ = edge;
      }
      input.scores[n * capacity + i] = proposal.score;
      input.groups[n * capacity + i] = images[n].groups[i];
    }
    input.count.push_back(static_cast<int32_t>(images[n].proposals.size()));
  }
  return input;
}

}  // namespace

void rpn_proposals(const std::vector<RpnLevelView>& levels,
                   const std::vector<ImageSize>& image_sizes, const RpnProposalParams& params,
                   float* boxes, float* scores, int32_t* count) {
  const size_t num_levels = levels.size();
  const size_t num_images = image_sizes.size();
  std::vector<std::vector<Proposal>> decoded(num_images * num_levels);
  parallel_for(0, static_cast<int64_t>(decoded.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto job = static_cast<size_t>(begin); job < static_cast<size_t>(end); ++job) {
      const size_t image = job / num_levels;
      decoded[job] = decode_level(levels[job % num_levels], static_cast<int64_t>(image),
                                  image_sizes[image], params);
    }
  });
  std::vector<ImageProposals> images;
  for (size_t n = 0; n < num_images; ++n) {
    images.push_back(join_levels(std::span(decoded).subspan(n * num_levels, num_levels), params));
  }
  const NmsInput input = pack(images);
  const int64_t keep_capacity = std::min(params.post_nms_top_n, input.capacity);
  std::vector<int32_t> keep(num_images * static_cast<size_t>(keep_capacity));
  nms({.images = static_cast<int64_t>(num_images),
       .boxes = input.capacity,
       .capacity = keep_capacity,
       .params = {.iou_threshold = params.nms_threshold, .max_keep = params.post_nms_top_n}},
      input.boxes.data(), input.scores.data(), input.groups.data(), input.count.data(), keep.data(),
      count);
  for (int64_t n = 0; n < static_cast<int64_t>(num_images); ++n) {
    for (int64_t i = 0; i < count[n]; ++i) {
      const int64_t source = n * input.capacity + keep[static_cast<size_t>(n * keep_capacity + i)];
      const int64_t target = n * params.post_nms_top_n + i;
      std::copy_n(input.boxes.data() + 4 * source, 4, boxes + 4 * target);
      scores[target] = input.scores[static_cast<size_t>(source)];
    }
  }
}

}  // namespace mrcnn::cpu
