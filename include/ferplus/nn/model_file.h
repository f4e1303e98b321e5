// Trained models on disk: safetensors with weights named and laid out as PyTorch would, and
// metadata that says what they are.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>

#include <ferplus/data/transform.h>
#include <ferplus/io/safetensors.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/network.h>

namespace ferplus {

// Version of the metadata that this library writes; it reads this one only.
inline constexpr std::string_view kModelFormat = "ferplus-1";

// Value of the metadata key "preprocessing" of a model that came without (imported from elsewhere).
inline constexpr std::string_view kUnknownPreprocessing = "unknown";

// A network with its values. `metadata` always has: format, network (a name of models.h, or any
// other name with the key "layers", architecture.h), classes (comma-separated), preprocessing,
// content_hash; a trained one also mode, recipe, seed, epoch and public_accuracy; a calibrated one
// temperature and calibration.
struct Model {
  Network network;
  Parameters parameters;
  std::map<std::string, std::string> metadata;

  // What the network expects of its input. Throws Error that says what to do if the file does not
  // say.
  Preprocessing preprocessing() const;
  // What logits are divided by before the softmax, so that probabilities are those of votes
  // (train/calibration.h); 1 for a model that nobody calibrated. From 0.001 to 1000: throws Error
  // if the metadata have another, which load_model refuses.
  double temperature() const;
};

// Owns copies of tensors that are on their way into a file.
class TensorSet {
 public:
  // Adds every array of `network`'s parameters and state, each name after `prefix`. `weights` (f32,
  // f16 or bf16) is the type of arrays of two and more dimensions, rounded to nearest even; those
  // of one, which are small and of which every value counts for a whole channel, stay f32. Throws
  // Error that names the tensor if a value is beyond what the type holds.
  void add(const Network& network, const Parameters& values, const std::string& prefix = "",
           bool with_state = true, DType weights = DType::f32);
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  std::string content_hash() const;

 private:
  std::vector<Buffer<std::byte>> storage_;
  std::map<std::string, StoredTensor> tensors_;
};

// Fingerprint (core/hash.h) of names and bytes, in the order of the names.
std::string content_hash(const std::map<std::string, StoredTensor>& tensors);
// Throws Error if the file's metadata has no content_hash or another than its tensors.
void check_content(const SafetensorsFile& file, const std::string& file_name);

// Value of the metadata key "model_options", from which load_model builds the same network.
std::string to_metadata(const ModelOptions& options);

// Reads the arrays that `add` wrote; 16-bit floats are widened, which is exact. Throws Error that
// names the file and a tensor that is missing, has another shape or is of none of those types.
void read_arrays(const SafetensorsFile& file, const std::string& file_name, const Network& network,
                 const std::string& prefix, bool with_state, Parameters& values);

// Atomically. Adds format, network, classes and content_hash to the metadata, layers if the
// network's name is none of models.h, and preprocessing "ferplus" if there is none.
void save_model(const std::filesystem::path& path, const Network& network,
                const Parameters& parameters, std::map<std::string, std::string> metadata);

// The same for any set of tensors that has at least the network's own.
void save_tensors(const std::filesystem::path& path, const Network& network,
                  const TensorSet& tensors, std::map<std::string, std::string> metadata);

// Replaces metadata of a model or checkpoint, atomically; all else stays as it is. Throws Error
// that names the file and the defect, as load_model does, and if its metadata are no longer those
// that were `read`: another model has taken its place.
void update_metadata(const std::filesystem::path& path,
                     const std::map<std::string, std::string>& read,
                     const std::map<std::string, std::string>& changes);

// Reads a model or a run's checkpoint; of a checkpoint that averages its weights, the averages.
// The metadata key content_hash may be missing, as in files that other programs wrote. Throws Error
// that names the file and the defect.
Model load_model(const std::filesystem::path& path);

}  // namespace ferplus
