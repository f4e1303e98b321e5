// Learning curves for TensorBoard: scalars by epoch, counted from 1, as Event messages
// (tensorflow/core/util/event.proto) in TFRecords (io/tfrecord.h). A component of the build.
#pragma once

#include <span>

#include <ferplus/train/run_folder.h>
#include <ferplus/train/run_record.h>

namespace ferplus {

// Whether this build has protobuf. Without it the functions below throw Error that names the
// packages.
bool tensorboard_available();
void require_tensorboard();

// Makes the file hold these epochs and no others, with the tags loss/train, loss/public,
// accuracy/train, accuracy/public, learning_rate and images_per_second. What it holds of them
// already stays untouched, so that a TensorBoard that watches the file goes on. Epochs without
// EpochMetrics::wall_time stand at 1970, so that TensorBoard's axes "relative" and "wall" are of no
// use with them; its axis "step" is. Throws Error.
void write_events(const RunFolder& folder, std::span<const EpochMetrics> epochs);

// Adds one epoch. Throws Error.
void append_events(const RunFolder& folder, const EpochMetrics& epoch);

}  // namespace ferplus
