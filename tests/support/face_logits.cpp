// For tools/check_onnx.sh: a model's logits for faces of the two CSVs, and what a graph exported
// from it or imported as it must be fed to give the same.
//   face_logits MODEL fer2013.csv fer2013new.csv COUNT OUT
// OUT.input: COUNT × 64 × 64 float32, normalised faces or (raw) gray 0 … 255; OUT.logits: COUNT
// × 8.
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/session.h>

namespace ferplus {
namespace {

void write_floats(const std::string& path, const std::vector<float>& values) {
  write_file_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
  });
}

void run(char** arguments) {
  const Model model = load_model(arguments[1]);
  const Dataset dataset = load_fer_csv(arguments[2], arguments[3]);
  const auto count = static_cast<std::size_t>(std::strtoul(arguments[4], nullptr, 10));
  if (dataset.samples.size() < count) throw Error("too few faces");
  const PreparedModel prepared(model.network, model.parameters);
  Session session(prepared, 1);
  std::vector<float> inputs, logits;
  for (std::size_t i = 0; i < count; ++i) {
    const Sample& sample = dataset.samples[i * (dataset.samples.size() / count)];
    const TensorView input = session.input(1);
    const ImageView image = dataset.image(sample);
    make_input(image, sample.face, {}, model.preprocessing(), {input.data, kInputPixels});
    if (model.preprocessing() == Preprocessing::raw) {
      std::vector<std::uint8_t> gray(kInputPixels);
      warp(image, sample.face, {}, gray);
      inputs.insert(inputs.end(), gray.begin(), gray.end());
    } else {
      inputs.insert(inputs.end(), input.data, input.data + kInputPixels);
    }
    const ConstTensorView output = session.forward(1, prepared);
    logits.insert(logits.end(), output.data, output.data + output.elements());
  }
  write_floats(std::string(arguments[5]) + ".input", inputs);
  write_floats(std::string(arguments[5]) + ".logits", logits);
}

}  // namespace
}  // namespace ferplus

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  try {
    ferplus::run(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
