// An ensemble answers with the mean of its probabilities: over views of one face (test-time
// augmentation), over models.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <ferplus/data/transform.h>
#include <ferplus/train/metrics.h>

namespace ferplus {

// Which views of a face a model sees; its answer is the mean of their probabilities.
//   none      the face, undistorted
//   flip      and its mirror image
//   ten_crop  Krizhevsky et al. 2012: the face warped to 72×72 as warp() (data/transform.h) does
//             to 64×64 (with 71 for 63 and 36 for 32), of it the 64×64 windows in the four corners
//             and in the centre, and the mirror image of each window
enum class TestTimeAugmentation : std::uint8_t { none, flip, ten_crop };
// "none", "flip", "10crop". augmentation_from_name throws UsageError.
std::string_view augmentation_name(TestTimeAugmentation augmentation);
TestTimeAugmentation augmentation_from_name(std::string_view name);

// The views as distortions. A window of the 72×72 warp is a warp to 64×64 with its pixel step,
// scale 63/71, and shifted by ±4 pixels towards the opposite corner: the same affine map, pixel by
// pixel.
std::span<const Distortion> views(TestTimeAugmentation augmentation);

// Logits whose softmax is the mean of the members' softmax: log Σ p / n, without underflow. One
// member comes back as it is, bit for bit. REQUIRES: at least one.
Logits average(std::span<const Logits> members);

}  // namespace ferplus
