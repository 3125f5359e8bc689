// SPDX-License-Identifier: MIT
#include "model/engine/fused/head_step.h"

#include "model/error.h"

namespace unetseg::fused {
namespace {

using Offset = std::ptrdiff_t;

// Logits and probabilities of four rows, from the heads at three sizes.
class HeadStep {
 public:
  HeadStep(const PackedNetwork& network, const Memory& memory, const Frame& frame)
      : network_(network), memory_(memory), frame_(frame) {}

  Stage stage() const {
    const HeadStep self = *this;
    return {
        network_.height / 4, [self](int chunk, unsigned thread) { self.rows(chunk, thread); }, {}};
  }

 private:
  template <typename Raw>
  HeadJobOf<Raw> job(std::size_t which, int y, float* out) const {
    const Head& head = network_.heads[which];
    return {memory_.term<Raw>({head.node, kNoNode, head.channels, 0}),
            head.weights.data(),
            head.bias,
            Offset{y} * head.width,
            head.width,
            out};
  }

  void head_row(std::size_t which, int y, float* out) const {
    if (network_.kernels.bf16 != nullptr)
      network_.kernels.bf16->head(job<Bf16>(which, y, out));
    else
      network_.kernels.head(job<float>(which, y, out));
  }

  static void add_enlarged(const float* small, int width, float* out) {
    for (int x = 0; x < width; ++x) out[x] += small[x / 2];
  }

  void rows(int chunk, unsigned thread) const {
    const int width = network_.width;
    float* quarter = memory_.own[thread];
    float* half = quarter + width;
    float* full = half + width;
    head_row(2, chunk, quarter);
    for (int i = 0; i < 4; ++i) {
      const int y = 4 * chunk + i;
      if (i % 2 == 0) {
        head_row(1, y / 2, half);
        add_enlarged(quarter, width / 2, half);
      }
      head_row(0, y, full);
      add_enlarged(half, width, full);
      if (!network_.kernels.sigmoid(full, width, frame_.probabilities + Offset{y} * width))
        throw Error(Fault::bad_result,
                    "the network gave a value that is not finite: the frame is left without a "
                    "mask");
    }
  }

  const PackedNetwork& network_;
  const Memory& memory_;
  const Frame& frame_;
};

}  // namespace

Stage head_stage(const PackedNetwork& network, const Memory& memory, const Frame& frame) {
  return HeadStep(network, memory, frame).stage();
}

}  // namespace unetseg::fused
