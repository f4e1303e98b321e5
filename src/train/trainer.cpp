#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <ferplus/core/clock.h>
#include <ferplus/core/error.h>
#include <ferplus/data/batch.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/loss.h>
#include <ferplus/train/schedule.h>
#include <ferplus/train/tensorboard.h>
#include <ferplus/train/trainer.h>
#include <ferplus/train/training_set.h>

#include "train/begin_run.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;

FolderLock make_and_lock(const fs::path& folder) {
  make_folder(folder);
  return FolderLock(folder);
}

class Trainer {
 public:
  Trainer(const Dataset& dataset, const RunConfig& config, const TrainOptions& options,
          TrainListener& listener)
      : dataset_(dataset),
        config_(config),
        options_(options),
        folder_{options.folder},
        listener_(listener),
        network_(build_network(config)),
        training_set_(training_set(dataset, config)),
        loader_(dataset, training_set_.training, training_batches(config)),
        public_selection_(select(dataset, Split::public_test, LabelMode::majority)),
        schedule_(config.recipe),
        state_(network_, config),
        gradients_(network_),
        session_(network_, config.recipe.batch, Phase::training,
                 precision_from_name(config.recipe.precision)),
        profiler_(network_, options.profile),
        lock_(make_and_lock(options.folder)),
        targets_(static_cast<std::size_t>(config.recipe.batch * kClasses)),
        logits_gradient_(targets_.size()),
        draw_keys_(static_cast<std::size_t>(config.recipe.batch)) {
    session_.observe(profiler_.observer());
  }

  TrainResult run() {
    state_.data = fingerprint(dataset_, loader_.selection().samples);
    state_.public_data = fingerprint(dataset_, public_selection_.samples);
    const std::string note = begin_run(options_, config_, network_, loader_.batches(), state_);
    // Whatever happens from here on, there is a checkpoint to resume from.
    if (!file_exists(folder_.checkpoint())) save();
    listener_.on_start({.network = network_.name(),
                        .parameters = network_.parameter_count(),
                        .train_images = loader_.images(),
                        .public_images = static_cast<std::int64_t>(public_selection_.size()),
                        .leaks = training_set_.leaks,
                        .held_out = training_set_.held_out.size(),
                        .steps_per_epoch = loader_.batches(),
                        .epochs = config_.recipe.epochs,
                        .epoch = state_.position.epoch,
                        .images = state_.position.images});
    if (!note.empty()) listener_.on_message(note);
    const int last_epoch = options_.stop_after > 0
                               ? std::min(options_.stop_after, config_.recipe.epochs)
                               : config_.recipe.epochs;
    TrainResult outcome;
    try {
      while (state_.position.epoch < last_epoch) {
        train_epoch();
        finish_epoch();
      }
      outcome = {finish_run(), false};
    } catch (const Interrupted&) {
      save();
      outcome = {summary(), true};
    }
    if (options_.profile) report_profile();
    return outcome;
  }

 private:
  // The listener asked to stop: thrown between two steps, or while evaluating.
  struct Interrupted {};

  double learning_rate(std::int64_t steps_before) const {
    return schedule_.rate(static_cast<double>(steps_before) /
                          static_cast<double>(config_.recipe.epochs * loader_.batches()));
  }

  void train_epoch();
  void train_step();
  void report_step(double mean_loss, double rate);
  void finish_epoch();
  void save_best(const EpochMetrics& metrics);
  [[noreturn]] void report_non_finite(Index step, Index images) const;

  void evaluate_public(EpochMetrics& metrics);
  RunSummary summary() const;
  RunSummary finish_run();
  std::optional<double> private_accuracy();
  void report_profile();
  void check_finite() const;
  void save();

  void poll() {
    if (listener_.stop_requested()) throw Interrupted();
  }
  Progress evaluation_progress() {
    return [this](std::size_t done, std::size_t total) {
      listener_.on_evaluation(done, total);
      poll();
    };
  }

  const Dataset& dataset_;
  RunConfig config_;
  TrainOptions options_;
  RunFolder folder_;
  TrainListener& listener_;
  Network network_;
  TrainingSet training_set_;
  BatchLoader loader_;
  Selection public_selection_;
  Schedule schedule_;
  TrainingState state_;
  Parameters gradients_;
  Session session_;
  Profiler profiler_;
  FolderLock lock_;
  Buffer<float> targets_, logits_gradient_;  // of a batch
  std::vector<std::uint32_t> draw_keys_;     // of a batch: Sample::draw_key
};

// The straight line of the whole project: one step.
void Trainer::train_step() {
  const SteadyTime start = steady_now();
  Position& position = state_.position;
  const Index step = position.epoch_step;
  const auto epoch = static_cast<std::uint32_t>(position.epoch);
  const Index images = loader_.batch_images(step);
  const TensorView targets{targets_.data(), {images, kClasses}};
  const TensorView logits_gradient{logits_gradient_.data(), {images, kClasses}};

  profiler_.begin_step(images);
  loader_.load(epoch, step, session_.input(images), targets, draw_keys_);
  profiler_.lap(&Profile::batch);
  const DrawContext draws{config_.seed, epoch,
                          std::span(draw_keys_).first(static_cast<std::size_t>(images))};
  const ConstTensorView logits = session_.forward_training(images, state_.parameters, draws);
  profiler_.lap(&Profile::forward);
  const double loss_sum =
      softmax_loss(label_mode(config_.mode).loss, logits, targets, logits_gradient);
  if (!std::isfinite(loss_sum)) report_non_finite(step, images);
  std::int64_t correct = 0;
  for (Index n = 0; n < images; ++n) {
    correct += is_right({logits.image(n), kClasses}, {targets.image(n), kClasses});
  }
  profiler_.lap(&Profile::loss);

  session_.backward(logits_gradient, state_.parameters, gradients_);
  profiler_.lap(&Profile::backward);

  const double rate = learning_rate(position.run_steps);
  state_.optimizer.step(state_.parameters, gradients_, rate, images,
                        state_.average ? &*state_.average : nullptr, position.run_steps);
  profiler_.lap(&Profile::optimizer);

  position.add_step({.loss_sum = loss_sum,
                     .correct = correct,
                     .images = images,
                     .seconds = seconds_since(start)});
  report_step(loss_sum / static_cast<double>(images), rate);
}

void Trainer::report_step(double mean_loss, double rate) {
  const Position& position = state_.position;
  const auto done = static_cast<double>(position.images);
  listener_.on_step({.epoch = position.epoch,
                     .epochs = config_.recipe.epochs,
                     .step = position.epoch_step,
                     .steps_per_epoch = loader_.batches(),
                     .images = position.images,
                     .epoch_images = loader_.images(),
                     .loss = mean_loss,
                     .mean_loss = position.loss_sum / done,
                     .mean_accuracy = static_cast<double>(position.correct) / done,
                     .learning_rate = rate});
}

void Trainer::train_epoch() {
  const Position& position = state_.position;
  while (position.epoch_step < loader_.batches()) {
    train_step();
    poll();
    if (options_.checkpoint_every > 0 && position.run_steps % options_.checkpoint_every == 0)
      save();
  }
}

void Trainer::finish_epoch() {
  Position& position = state_.position;
  const auto images = static_cast<double>(position.images);
  EpochMetrics metrics{.epoch = position.epoch,
                       .train_loss = position.loss_sum / images,
                       .train_accuracy = static_cast<double>(position.correct) / images,
                       .final_train_loss = position.recent_loss(),
                       .learning_rate = learning_rate(position.run_steps - position.epoch_step),
                       .seconds = position.seconds,
                       .images_per_second = position.seconds > 0 ? images / position.seconds : 0};
  check_finite();  // before the epoch leaves anything
  evaluate_public(metrics);
  if (!std::isfinite(metrics.public_loss)) {
    throw Error(concat("the public loss is not finite after epoch ", position.epoch + 1,
                       ": the weights have diverged (learning rate?)"));
  }

  metrics.wall_time = unix_seconds();
  // In this order, so that a crash in between repeats the epoch and overwrites what it left.
  append_line(folder_.metrics(), to_json(metrics).dump());
  if (options_.tensorboard) append_events(folder_, metrics);
  const bool best = position.best_epoch < 0 || metrics.public_accuracy > position.best_accuracy;
  if (best) {
    position.best_epoch = metrics.epoch;
    position.best_accuracy = metrics.public_accuracy;
    save_best(metrics);
  }
  position.begin_next_epoch();
  save();
  listener_.on_epoch(metrics, best);
}

void Trainer::save_best(const EpochMetrics& metrics) {
  std::map<std::string, std::string> metadata = to_metadata(config_, state_);
  metadata["epoch"] = std::to_string(metrics.epoch);
  metadata["public_accuracy"] = nlohmann::json(metrics.public_accuracy).dump();
  save_model(folder_.best_model(), network_, evaluated_parameters(state_), std::move(metadata));
}

void Trainer::evaluate_public(EpochMetrics& metrics) {
  profiler_.begin_evaluation();
  const Parameters& parameters = evaluated_parameters(state_);
  const std::vector<Logits> logits = predict_samples(
      dataset_, public_selection_.samples, config_.preprocessing, session_,
      [&](Index batch) { return session_.forward_unprepared(batch, parameters); },
      evaluation_progress());
  profiler_.end_evaluation();
  std::vector<int> classes;
  for (const Target& target : public_selection_.targets) classes.push_back(argmax(target));
  metrics.public_loss = agree(logits, public_selection_.targets).cross_entropy;
  metrics.public_accuracy = classify(logits, classes).accuracy;
}

void Trainer::report_non_finite(Index step, Index images) const {
  std::string rows;
  for (Index n = 0; n < images; ++n) {
    if (n > 0) rows += ", ";
    rows += std::to_string(dataset_.samples[loader_.sample_index(step, n)].row);
  }
  throw Error(concat("the loss is not finite in epoch ", state_.position.epoch + 1, ", step ",
                     step + 1, " (learning rate or data?); first layer with such a value: ",
                     session_.first_non_finite_layer().value_or("none, so the loss itself"),
                     "; rows of the batch: ", rows));
}

// Whatever would resume from it later must be sound: values that are not finite are never saved,
// and what was saved last stays.
void Trainer::check_finite() const {
  if (all_finite(state_.parameters)) return;
  throw Error(concat("weights or batch-norm statistics are no longer finite in epoch ",
                     state_.position.epoch + 1, ", step ", state_.position.epoch_step,
                     " (learning rate?); the last checkpoint is kept"));
}

void Trainer::save() {
  check_finite();
  save_checkpoint(folder_.checkpoint(), network_, config_, state_);
}

RunSummary Trainer::summary() const {
  const Position& position = state_.position;
  return {.epochs = position.epoch,
          .finished = position.epoch >= config_.recipe.epochs,
          .best_epoch = position.best_epoch,
          .public_accuracy = position.best_accuracy};
}

void Trainer::report_profile() {
  const Profile& profile = profiler_.profile();
  write_file_atomically(folder_.profile(),
                        [&](std::ostream& out) { out << to_json(profile).dump(2) << '\n'; });
  listener_.on_profile(profile);
}

RunSummary Trainer::finish_run() {
  RunSummary result = summary();
  if (result.best_epoch < 0) return result;
  result.private_accuracy = private_accuracy();
  write_file_atomically(folder_.summary(),
                        [&](std::ostream& out) { out << to_json(result).dump(2) << '\n'; });
  return result;
}

// Of the best model, once all epochs are done: the private split is no guide on the way.
std::optional<double> Trainer::private_accuracy() {
  if (state_.position.epoch < config_.recipe.epochs) return std::nullopt;
  const LabelModeInfo& majority = label_mode(LabelMode::majority);
  const bool has_private = std::ranges::any_of(dataset_.samples, [&](const Sample& sample) {
    return sample.split == Split::private_test && majority.target(sample.votes);
  });
  if (!has_private) return std::nullopt;
  profiler_.begin_evaluation();
  const Model best = load_model(folder_.best_model());
  const PreparedModel prepared(best.network, best.parameters,
                               precision_from_name(config_.recipe.precision));
  const Evaluation evaluation = evaluate(dataset_, prepared,
                                         {.split = Split::private_test,
                                          .preprocessing = best.preprocessing(),
                                          .batch = config_.recipe.batch},
                                         evaluation_progress());
  profiler_.end_evaluation();
  return evaluation.classification.accuracy;
}

}  // namespace

TrainResult train(const Dataset& dataset, const RunConfig& config, const TrainOptions& options,
                  TrainListener& listener) {
  validate(config);
  if (options.resume) require_run({options.folder});
  if (options.tensorboard) require_tensorboard();
  const ScopedConvSelection algorithms(config.convolution);
  return Trainer(dataset, config, options, listener).run();
}

}  // namespace ferplus
