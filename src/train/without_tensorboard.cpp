// In place of the tensorboard_*.cpp files where the build has no protobuf.
#include <ferplus/core/error.h>
#include <ferplus/train/tensorboard.h>

namespace ferplus {

bool tensorboard_available() { return false; }
void require_tensorboard() {
  throw Error(
      "this ferplus was built without TensorBoard's files: install libprotobuf-dev and "
      "protobuf-compiler and build again");
}
void write_events(const RunFolder&, std::span<const EpochMetrics>) { require_tensorboard(); }
void append_events(const RunFolder&, const EpochMetrics&) { require_tensorboard(); }

}  // namespace ferplus
