#include "train_console.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include "interrupt.h"
#include "logging.h"
#include "output.h"
#include "profile_text.h"
#include "progress.h"
#include "table.h"

namespace ferplus::tool {
namespace {

class Listener final : public TrainListener {
 public:
  Listener(const TrainOptions& options, bool quiet) : options_(options), quiet_(quiet) {}

  void on_start(const StartReport& start) override {
    // Only now is the folder this process's own.
    log_ = make_logger(
        {.quiet = quiet_, .file = RunFolder{options_.folder}.log(), .append = options_.resume});
    log_->info("{}: {} parameters; {} training and {} public images, {} steps an epoch",
               start.network, grouped(start.parameters),
               grouped(static_cast<std::uint64_t>(start.train_images)),
               grouped(static_cast<std::uint64_t>(start.public_images)), start.steps_per_epoch);
    if (start.leaks) {
      log_->info("{} training images left out that are also in the public or private split",
                 grouped(*start.leaks));
    }
    if (start.held_out > 0) log_->info("{} training images held out", grouped(start.held_out));
    epoch_images_ = static_cast<std::uint64_t>(start.train_images);
    const auto already = static_cast<std::uint64_t>(start.epoch) * epoch_images_ +
                         static_cast<std::uint64_t>(start.images);
    if (start.epoch >= start.epochs) {
      log_->info("all {} epochs are done", start.epochs);
    } else if (already > 0) {
      log_->info("resuming in epoch {} of {}", start.epoch + 1, start.epochs);
    }
    const int last =
        options_.stop_after > 0 ? std::min(options_.stop_after, start.epochs) : start.epochs;
    bar_.emplace(ProgressBar::Options{.total = static_cast<std::uint64_t>(last) * epoch_images_,
                                      .already = already,
                                      .quiet = quiet_});
  }

  void on_message(const std::string& message) override { log_->warn(message); }

  void on_step(const StepReport& step) override {
    bar_->set_label(fmt::format("epoch {}/{}", step.epoch + 1, step.epochs));
    done_ = static_cast<std::uint64_t>(step.epoch) * epoch_images_ +
            static_cast<std::uint64_t>(step.images);
    bar_->update(done_, fmt::format("loss {:.4f}  accuracy {}", step.mean_loss,
                                    percent(step.mean_accuracy)));
  }

  void on_evaluation(std::size_t done, std::size_t total) override {
    bar_->update(done_, fmt::format("evaluating {}/{}", done, total));
  }

  void on_epoch(const EpochMetrics& metrics, bool best) override {
    log_->info(
        "epoch {}: training loss {:.4f}, accuracy {}; public loss {:.4f}, accuracy {}{}; learning "
        "rate {:.5f}; {:.1f} images/s, {}",
        metrics.epoch + 1, metrics.train_loss, percent(metrics.train_accuracy), metrics.public_loss,
        percent(metrics.public_accuracy), best ? " (best)" : "", metrics.learning_rate,
        metrics.images_per_second, duration_text(metrics.seconds));
  }

  void on_profile(const Profile& profile) override { profile_ = profile; }

  bool stop_requested() override { return interrupt_flag().load(); }

  // Takes the bar away before the last lines.
  void finish() { bar_.reset(); }
  // The reason why a run ended belongs into its log; the console hears it from main.
  void log_failure(const std::string& reason) {
    bar_.reset();
    if (log_) {
      log_->sinks().back()->log(spdlog::details::log_msg(log_->name(), spdlog::level::err, reason));
      log_->flush();
    }
  }
  spdlog::logger& log() { return *log_; }
  // Below the last lines; --quiet leaves it to profile.json.
  void print_profile() const {
    if (!profile_ || quiet_) return;
    const std::string text = '\n' + profile_text(*profile_);
    print(text);
  }

 private:
  const TrainOptions& options_;
  bool quiet_;
  std::shared_ptr<spdlog::logger> log_;
  std::optional<ProgressBar> bar_;
  std::optional<Profile> profile_;
  std::uint64_t epoch_images_ = 0, done_ = 0;
};

}  // namespace

TrainResult train_on_console(const Dataset& dataset, const RunConfig& config,
                             const TrainOptions& options, bool quiet,
                             const std::string& resume_command) {
  Listener listener(options, quiet);
  TrainResult result;
  try {
    result = train(dataset, config, options, listener);
  } catch (const std::exception& error) {
    listener.log_failure(error.what());
    throw;
  }
  listener.finish();
  if (result.interrupted) {
    listener.log().warn("interrupted and saved; go on with: {}", resume_command);
    listener.print_profile();
    return result;
  }
  if (result.best_epoch >= 0) {
    listener.log().info("best public accuracy {} in epoch {}: {}", percent(result.public_accuracy),
                        result.best_epoch + 1, RunFolder{options.folder}.best_model().string());
  }
  if (result.private_accuracy) {
    listener.log().info("private accuracy of that model: {}", percent(*result.private_accuracy));
  }
  listener.print_profile();
  return result;
}

}  // namespace ferplus::tool
