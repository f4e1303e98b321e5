#include <algorithm>

#include <ferplus/kernels/conv2d_measure.h>
#include <ferplus/nn/tuning.h>

namespace ferplus {

std::vector<TunedConv> tune_convolutions(const Network& network, Index batch,
                                         const Progress& progress) {
  std::vector<TunedConv> rows;
  const Network::Entry* first = network.layers().empty() ? nullptr : &network.layers().front();
  for (const Network::Entry& entry : network.layers()) {
    const auto shape = entry.layer->convolution(entry.input);
    if (!shape) continue;
    for (ConvPass pass : kAllConvPasses) {
      if (pass == ConvPass::backward_data && &entry == first) continue;
      const TunedConv row{.pass = pass,
                          .height = shape->height,
                          .width = shape->width,
                          .in_channels = shape->in_channels,
                          .out_channels = shape->out_channels};
      const bool known = std::ranges::any_of(
          rows, [&](const TunedConv& other) { return other.applies_to(*shape, pass); });
      if (row.applies_to(*shape, pass) && !known) rows.push_back(row);
    }
  }
  std::size_t done = 0;
  for (TunedConv& row : rows) {
    row.algorithm = fastest_conv_algorithm(row.shape(batch), row.pass).name;
    if (progress) progress(++done, rows.size());
  }
  return rows;
}

}  // namespace ferplus
