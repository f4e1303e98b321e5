// What the server answers, whoever carries requests and answers: routes and their answers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <ferplus/core/clock.h>
#include <ferplus/serve/server.h>

#include "serve/http_message.h"
#include "serve/http_modelhub.h"
#include "serve/http_samples.h"
#include "serve/http_workers.h"

namespace ferplus::serve {

class Service;

struct Route {
  std::string_view method;
  std::string_view path;  // one that ends in "/" stands for all below it, but "/" for itself
  bool works;             // by a worker, on its thread; else at once, without one
  Response (*answer)(const Service& service, const Request& request, Worker* worker);
};

// Thread-safe.
class Service {
 public:
  // `model` must outlive it; `waiting` says how many requests wait for a worker. Throws as Server's
  // constructor.
  Service(const Model& model, const ServerOptions& options, std::function<std::size_t()> waiting);

  // All routes; the page's own first.
  static std::span<const Route> routes();
  // Nothing if there is none for this method.
  static const Route* find(std::string_view method, std::string_view path);

  // Throws only what there is no memory for; `worker` is needed by a route that works.
  Response answer(const Route& route, const Request& request, Worker* worker) const;
  // Whether clients may call the server by this Host (ServerOptions::url).
  bool is_called(std::string_view host, bool loopback) const;
  // For a request without route: 404, 405 with Allow, or 204 for OPTIONS.
  Response unrouted(std::string_view method, std::string_view path) const;
  // {"error": reason} with the headers that all answers have.
  Response failure(int status, const std::string& reason) const;
  // Counts an answer, for GET /health.
  void count(int status) const;

  const ServerOptions& options() const { return options_; }
  const Model& model() const { return *model_; }
  const std::map<std::string, SamplePicture>& samples() const { return samples_; }
  nlohmann::ordered_json health() const;
  // Of the model's files; null without options().model_file.
  const std::shared_ptr<const std::string>& archive() const { return archive_; }
  const ModelIdentity& identity() const { return identity_; }
  const nlohmann::ordered_json& config() const { return config_; }
  void count_faces(std::size_t faces) const { faces_ += faces; }

 private:
  Response finished(Response response) const;

  const Model* model_;
  ServerOptions options_;
  std::function<std::size_t()> waiting_;
  std::map<std::string, SamplePicture> samples_;
  ModelIdentity identity_;
  nlohmann::ordered_json config_;  // ModelHub's
  std::shared_ptr<const std::string> archive_;
  SteadyTime started_ = steady_now();
  mutable std::atomic<std::uint64_t> answered_[6] = {};  // by the first digit of the status
  mutable std::atomic<std::uint64_t> faces_{0};
};

}  // namespace ferplus::serve
