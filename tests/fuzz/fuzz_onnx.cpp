// Any bytes are an ONNX model that can be saved, or an Error, nothing else.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/nn/architecture.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferplus;
  try {
    const Model model = import_onnx(std::as_bytes(std::span(data, size)), "fuzz",
                                    {.preprocessing = Preprocessing::raw});
    const Network& network = model.network;
    if (network.output() != Shape{1, kClasses}) std::abort();
    const std::string list = layer_list(network);
    const std::size_t values = network.parameter_floats() + network.state_floats();
    if (layer_list(network_from_layer_list("again", network.input(), list, values)) != list) {
      std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
