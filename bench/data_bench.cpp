// Benchmarks of loading and preparing data. FERPLUS_FER_CSV and FERPLUS_VOTES_CSV name the two real
// files; without them, texts of the same size are made up.
#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <ferplus/core/parallel.h>
#include <ferplus/data/batch.h>
#include <ferplus/data/fer_csv.h>

namespace ferplus {
namespace {

struct Texts {
  std::string fer = "emotion,pixels,Usage\n";
  std::string ferplus =
      "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
      "\n";
};

// Values as evenly spread as those of the real faces: 3.6 bytes a pixel.
Texts made_up(std::size_t rows) {
  Texts texts;
  for (std::size_t row = 0; row < rows; ++row) {
    RandomSequence random(
        {.seed = 1, .stream = Stream::synth, .sample = static_cast<std::uint32_t>(row)});
    texts.fer += "0,";
    for (std::size_t i = 0; i < kFerPixels; ++i) {
      texts.fer += std::to_string(random.below(256));
      texts.fer += i + 1 == kFerPixels ? ',' : ' ';
    }
    texts.fer += "Training\n";
    texts.ferplus += "Training,face" + std::to_string(row) + ".png,4,6,0,0,0,0,0,0,0,0\n";
  }
  return texts;
}

void fer_csv(benchmark::State& state) {
  const char* fer = std::getenv("FERPLUS_FER_CSV");
  const char* ferplus = std::getenv("FERPLUS_VOTES_CSV");
  const bool real = fer != nullptr && ferplus != nullptr;
  const Texts texts = real ? Texts{} : made_up(32298);
  const std::size_t bytes = real ? std::filesystem::file_size(fer) : texts.fer.size();
  for (auto _ : state) {
    Dataset dataset = real ? load_fer_csv(fer, ferplus)
                           : parse_fer_csv(texts.fer, "made up", texts.ferplus, "made up");
    benchmark::DoNotOptimize(dataset.pixels.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.SetLabel(real ? fer : "made up");
}
BENCHMARK(fer_csv)->Name("data/fer_csv")->UseRealTime()->Unit(benchmark::kMillisecond);

void batches(benchmark::State& state) {
  const Texts texts = made_up(256);
  const Dataset dataset = parse_fer_csv(texts.fer, "made up", texts.ferplus, "made up");
  BatchLoader loader(dataset, select(dataset, Split::train, LabelMode::majority),
                     {.batch_size = 32});
  std::vector<float> input(32 * kInputPixels), targets(32 * kClasses);
  Index batch = 0;
  for (auto _ : state) {
    loader.load(0, batch, {input.data(), {32, kInputSide, kInputSide, 1}},
                {targets.data(), {32, kClasses}});
    batch = (batch + 1) % loader.batches();
  }
  state.SetItemsProcessed(state.iterations() * 32);
}
BENCHMARK(batches)->Name("data/batch32")->UseRealTime();

}  // namespace
}  // namespace ferplus
