// Threads that work on pictures, each with a predictor and a detector of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <ferplus/detect/face_detector.h>
#include <ferplus/nn/predictor.h>

namespace ferplus::serve {

// Jobs for each worker.
inline constexpr std::size_t kMostWaiting = 32;

// What one of them works with.
struct Worker {
  Predictor predictor;
  std::unique_ptr<FaceDetector> detector;  // null in a build without detection
};

// Thread-safe.
class Workers {
 public:
  // `waited`: since the job was submitted. Jobs must not throw.
  using Job = std::function<void(Worker&, std::chrono::steady_clock::duration waited)>;

  // REQUIRES: count >= 1.
  Workers(const Predictor& predictor, const DetectorOptions& detector, int count);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  const Model& model() const { return workers_.front()->predictor.model(); }
  // False, and the job is not taken, if kMostWaiting of them wait for each worker or once stop()
  // was called.
  bool submit(Job job);
  // How many jobs nobody works on yet.
  std::size_t waiting() const;
  // Takes no more jobs; returns when all are done.
  void stop();

 private:
  struct Submitted {
    Job job;
    std::chrono::steady_clock::time_point when;
  };

  void work(Worker& worker);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Submitted> jobs_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace ferplus::serve
