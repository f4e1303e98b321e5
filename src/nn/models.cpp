#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>

namespace ferplus {
namespace {

constexpr Index kSide = 64;
constexpr Index kOutputs = 8;
// First weight of batch-norm after a hidden dense layer. At 1, the thousand inputs of the logits
// would have a squared norm of several hundred, and gradient descent on their weights would diverge
// at learning rates that the convolutions need.
constexpr double kDenseNormWeight = 0.2;

// Blocks of 3×3 convolutions, each block ended by 2×2 max-pooling and dropout, then hidden dense
// layers with dropout, then the logits.
struct VggOptions {
  std::string name;
  std::vector<std::vector<Index>> blocks;  // filters of each convolution
  std::vector<Index> hidden;
  bool batch_norm = false;
};

Network build_vgg(const VggOptions& vgg, const ModelOptions& options) {
  Network network(vgg.name, {1, kSide, kSide, 1});
  unsigned dropouts = 0;
  const auto add_dropout = [&](const std::string& name, double rate) {
    network.add(name, make_dropout({.rate = rate, .stream = dropouts++}));
  };
  for (std::size_t block = 0; block < vgg.blocks.size(); ++block) {
    const std::string number = std::to_string(block + 1);
    for (std::size_t i = 0; i < vgg.blocks[block].size(); ++i) {
      const std::string id = number + "_" + std::to_string(i + 1);
      network.add("conv" + id,
                  make_conv2d({.filters = vgg.blocks[block][i], .bias = !vgg.batch_norm}));
      if (vgg.batch_norm) {
        network.add("bn" + id, make_batch_norm({.momentum = options.batch_norm_momentum}));
      }
      network.add("relu" + id, make_relu());
    }
    network.add("pool" + number, make_max_pool({}));
    add_dropout("drop" + number, options.conv_dropout);
  }
  for (std::size_t i = 0; i < vgg.hidden.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    network.add("fc" + number, make_dense({.units = vgg.hidden[i], .bias = !vgg.batch_norm}));
    if (vgg.batch_norm) {
      network.add("fc_bn" + number, make_batch_norm({.momentum = options.batch_norm_momentum,
                                                     .initial_weight = kDenseNormWeight}));
    }
    network.add("fc_relu" + number, make_relu());
    add_dropout("fc_drop" + number, options.dense_dropout);
  }
  network.add("fc" + std::to_string(vgg.hidden.size() + 1), make_dense({.units = kOutputs}));
  return network;
}

const std::vector<std::vector<Index>> kVgg13Blocks = {
    {64, 64}, {128, 128}, {256, 256, 256}, {256, 256, 256}};

constexpr std::array<ModelInfo, 3> kModels = {{
    {"vgg13", "the paper's VGG13: ten 3x3 convolutions, two hidden dense layers, 8.76 M parameters",
     [](const ModelOptions& options) {
       return build_vgg({.name = "vgg13", .blocks = kVgg13Blocks, .hidden = {1024, 1024}}, options);
     }},
    {"vgg13_bn", "vgg13 with batch normalisation after each convolution and hidden dense layer",
     [](const ModelOptions& options) {
       return build_vgg(
           {.name = "vgg13_bn", .blocks = kVgg13Blocks, .hidden = {1024, 1024}, .batch_norm = true},
           options);
     }},
    {"vgg_mini", "three small blocks with batch normalisation, for tests and demonstrations",
     [](const ModelOptions& options) {
       return build_vgg({.name = "vgg_mini",
                         .blocks = {{16}, {32, 32}, {64, 64}},
                         .hidden = {128},
                         .batch_norm = true},
                        options);
     }},
}};

std::vector<LayerOptions> layers_but_dropout(const Network& network) {
  std::vector<LayerOptions> layers;
  for (const Network::Entry& entry : network.layers()) {
    if (entry.layer->kind() != "dropout") layers.push_back(entry.layer->options());
  }
  return layers;
}

}  // namespace

std::span<const ModelInfo> models() { return kModels; }

bool is_model(std::string_view name) {
  return std::ranges::any_of(kModels, [&](const ModelInfo& model) { return model.name == name; });
}

Network build_model(std::string_view name, const ModelOptions& options) {
  std::vector<std::string_view> names;
  for (const ModelInfo& model : kModels) {
    if (model.name == name) return model.build(options);
    names.push_back(model.name);
  }
  throw UsageError(unknown_name("network", name, names));
}

std::optional<Network> matching_model(const Network& network) {
  const std::vector<LayerOptions> layers = layers_but_dropout(network);
  for (const ModelInfo& info : models()) {
    Network model = info.build({});
    if (model.input() == network.input() && layers_but_dropout(model) == layers) return model;
  }
  return std::nullopt;
}

}  // namespace ferplus
