#include "serve/http_workers.h"

#include <utility>

namespace ferplus::serve {

Workers::Workers(const Predictor& predictor, const DetectorOptions& detector, int count) {
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::unique_ptr<Worker>(
        new Worker{predictor, detection_available() ? make_face_detector(detector) : nullptr}));
  }
  try {
    for (const auto& worker : workers_) threads_.emplace_back([this, &worker] { work(*worker); });
  } catch (...) {
    stop();
    throw;
  }
}

bool Workers::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= kMostWaiting * workers_.size()) return false;
    jobs_.push_back({std::move(job), std::chrono::steady_clock::now()});
  }
  changed_.notify_one();
  return true;
}

std::size_t Workers::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::work(Worker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Submitted next = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    next.job(worker, std::chrono::steady_clock::now() - next.when);
    lock.lock();
  }
}

}  // namespace ferplus::serve
