// Timings on request, for tools/peers/bench_peers.py, which asks several libraries in turns.
#pragma once

namespace ferplus::bench {

// Answers each line `train|infer fp32|bf16 BATCH COUNT` of standard input with the seconds of COUNT
// runs of vgg13 as a JSON list on standard output, and `peak` with the measured peak of
// multiply-adds a second, times two.
void serve_timings();

}  // namespace ferplus::bench
