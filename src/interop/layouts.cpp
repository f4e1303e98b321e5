#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/interop/onnx.h>

namespace ferplus {

OnnxLayout onnx_layout_from_name(std::string_view name) {
  if (name == "modern") return OnnxLayout::modern;
  if (name == "zoo") return OnnxLayout::zoo;
  throw UsageError(unknown_name("layout", name, {"modern", "zoo"}));
}

}  // namespace ferplus
