#include <string>

#include <ferplus/core/clock.h>
#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/tfrecord.h>
#include <ferplus/train/tensorboard.h>

#include "tensorboard_event.pb.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;
using tensorboard::Event;

struct Scalar {
  const char* tag;
  double EpochMetrics::*figure;
};
constexpr Scalar kScalars[] = {{"loss/train", &EpochMetrics::train_loss},
                               {"loss/public", &EpochMetrics::public_loss},
                               {"accuracy/train", &EpochMetrics::train_accuracy},
                               {"accuracy/public", &EpochMetrics::public_accuracy},
                               {"learning_rate", &EpochMetrics::learning_rate},
                               {"images_per_second", &EpochMetrics::images_per_second}};

// Every file begins with it.
std::string version_record() {
  Event event;
  event.set_wall_time(unix_seconds());
  event.set_file_version("brain.Event:2");
  return tf_record(event.SerializeAsString());
}

std::string epoch_record(const EpochMetrics& epoch) {
  Event event;
  event.set_wall_time(epoch.wall_time.value_or(0));
  event.set_step(epoch.epoch + 1);
  for (const Scalar& scalar : kScalars) {
    tensorboard::Summary::Value& value = *event.mutable_summary()->add_value();
    value.set_tag(scalar.tag);
    value.set_simple_value(static_cast<float>(epoch.*scalar.figure));
  }
  return tf_record(event.SerializeAsString());
}

// Whether `file` is a version record of any time and then `records`, and perhaps more.
bool begins_with(std::string_view file, std::size_t version_size, std::string_view records) {
  constexpr std::size_t kHead = 12, kTail = 4;  // of a record, around its data
  if (file.size() < version_size) return false;
  const std::string_view data = file.substr(kHead, version_size - kHead - kTail);
  return tf_record(data) == file.substr(0, version_size) &&
         file.substr(version_size).starts_with(records);
}

}  // namespace

bool tensorboard_available() { return true; }
void require_tensorboard() {}

void write_events(const RunFolder& folder, std::span<const EpochMetrics> epochs) {
  const fs::path path = folder.events();
  const std::string version = version_record();
  std::string records;
  for (const EpochMetrics& epoch : epochs) records += epoch_record(epoch);
  if (file_exists(path)) {
    const std::size_t size = version.size() + records.size();
    const MappedFile file(path);
    if (begins_with(file.text(), version.size(), records)) {
      std::error_code error;
      if (file.text().size() > size) fs::resize_file(path, size, error);
      if (error) throw file_error(path, 0, concat("cannot shorten: ", error.message()));
      return;
    }
  }
  write_file_atomically(path, [&](std::ostream& out) { out << version << records; });
}

void append_events(const RunFolder& folder, const EpochMetrics& epoch) {
  append_bytes(folder.events(), epoch_record(epoch));
}

}  // namespace ferplus
