// In place of the onnx_*.cpp files where the build has no libonnx.
#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>

namespace ferplus {
namespace {

[[noreturn]] void refuse() {
  throw Error(
      "this ferplus was built without ONNX: install libonnx-dev and libprotobuf-dev and build "
      "again");
}

}  // namespace

bool onnx_available() { return false; }
OnnxExportReport export_onnx(const std::filesystem::path&, const Model&, const OnnxExportOptions&) {
  refuse();
}
Model import_onnx(const std::filesystem::path&, const OnnxImportOptions&) { refuse(); }
Model import_onnx(std::span<const std::byte>, const std::string&, const OnnxImportOptions&) {
  refuse();
}

}  // namespace ferplus
