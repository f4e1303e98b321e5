#include <algorithm>
#include <limits>
#include <vector>

#include <time.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/kernels/conv2d_measure.h>

namespace ferplus {
namespace {

constexpr int kTurns = 7;
// A first turn so much slower than the best one cannot be bad luck.
constexpr double kFarBehind = 1.6;

class OneThread {
 public:
  OneThread() { set_thread_count(1); }
  ~OneThread() { set_thread_count(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = thread_count();
};

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Buffer<float> random_buffer(Index count, std::uint32_t number) {
  Buffer<float> buffer(static_cast<std::size_t>(count));
  RandomSequence random({.stream = Stream::initialization, .sample = number});
  for (float& value : buffer.span()) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return buffer;
}

class Race {
 public:
  Race(const ConvShape& shape, ConvPass pass)
      : shape_(shape),
        pass_(pass),
        input_(random_buffer(shape.input_size(), 1)),
        output_(random_buffer(shape.output_size(), 2)),
        weights_(random_buffer(shape.weights_size(), 3)),
        bias_(random_buffer(shape.out_channels, 4)),
        bias_gradient_(bias_.size()),
        result_(std::max({input_.size(), output_.size(), weights_.size()})) {}

  struct Runner {
    const ConvAlgorithm* algorithm;
    Buffer<std::byte> prepared, workspace;
    double seconds = std::numeric_limits<double>::infinity();
  };

  Runner runner(const ConvAlgorithm& algorithm) const {
    Runner runner{&algorithm, Buffer<std::byte>(algorithm.prepared_bytes(shape_, pass_)),
                  Buffer<std::byte>(algorithm.workspace_bytes(shape_, pass_, 1))};
    algorithm.prepare(shape_, pass_, weights_.data(), runner.prepared.data());
    return runner;
  }

  void run(Runner& runner) {
    const ConvAlgorithm& algorithm = *runner.algorithm;
    const double start = thread_seconds();
    switch (pass_) {
      case ConvPass::forward:
        algorithm.forward(shape_, input_.data(), runner.prepared.data(),
                          {.bias = bias_.data(), .relu = true}, result_.data(),
                          runner.workspace.data());
        break;
      case ConvPass::backward_data:
        algorithm.backward_data(shape_, {output_.data()}, runner.prepared.data(), nullptr,
                                result_.data(), runner.workspace.data());
        break;
      case ConvPass::backward_weights:
        algorithm.backward_weights(shape_, input_.data(), {output_.data()}, result_.data(),
                                   bias_gradient_.data(), runner.workspace.data());
        break;
    }
    runner.seconds = std::min(runner.seconds, thread_seconds() - start);
  }

 private:
  ConvShape shape_;
  ConvPass pass_;
  Buffer<float> input_, output_, weights_, bias_, bias_gradient_, result_;
};

}  // namespace

const ConvAlgorithm& fastest_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  std::vector<const ConvAlgorithm*> algorithms;
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    if (algorithm.supports(shape, pass)) algorithms.push_back(&algorithm);
  }
  if (algorithms.size() == 1) return *algorithms.front();

  const OneThread one_thread;
  Race race(shape, pass);
  std::vector<Race::Runner> runners;
  for (const ConvAlgorithm* algorithm : algorithms) runners.push_back(race.runner(*algorithm));
  const auto faster = [](const Race::Runner& a, const Race::Runner& b) {
    return a.seconds < b.seconds;
  };
  for (int turn = 0; turn < kTurns && runners.size() > 1; ++turn) {
    for (Race::Runner& runner : runners) race.run(runner);
    const double best = std::min_element(runners.begin(), runners.end(), faster)->seconds;
    std::erase_if(runners, [&](const Race::Runner& r) { return r.seconds > kFarBehind * best; });
  }
  return *std::min_element(runners.begin(), runners.end(), faster)->algorithm;
}

}  // namespace ferplus
