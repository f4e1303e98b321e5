#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/predictor.h>
#include <ferplus/serve/server.h>

#include "commands.h"
#include "compute_options.h"
#include "detection_options.h"
#include "general_options.h"
#include "help.h"
#include "interrupt.h"
#include "model_options.h"
#include "output.h"
#include "terminal.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

constexpr int kMostMegabytes = kMostPictureBytes >> 20;

struct Options {
  std::filesystem::path model;
  ServerOptions server;
  int megabytes = 20;
  std::filesystem::path port_file;
  bool share_model = false;
  ComputeOptions compute;
  GeneralOptions general;
};

// One that a killed server left would mislead whoever waits for the new one.
void remove_old_port_file(const std::filesystem::path& path) {
  if (path.empty() || !std::filesystem::exists(std::filesystem::symlink_status(path))) return;
  constexpr std::size_t kMostDigits = 5;
  std::string text;
  if (std::filesystem::is_regular_file(path)) {
    std::ifstream file(path);
    std::getline(file, text);
    if (!file || file.peek() != EOF) text.clear();
  }
  const bool is_port = !text.empty() && text.size() <= kMostDigits &&
                       std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_port) {
    throw UsageError(concat(path.string(), " is there and does not hold a port: write elsewhere"));
  }
  std::filesystem::remove(path);
}

// There while the server listens.
class PortFile {
 public:
  PortFile(std::filesystem::path path, int port) : path_(std::move(path)) {
    if (path_.empty()) return;
    write_file_atomically(path_, [&](std::ostream& out) { out << port << '\n'; });
  }
  ~PortFile() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  PortFile(const PortFile&) = delete;
  PortFile& operator=(const PortFile&) = delete;

 private:
  std::filesystem::path path_;
};

void line(const Options& options, const std::string& text) {
  if (!options.general.quiet) Console::standard_error().line("ferplus: " + text);
}

// Paths come from strangers, and terminals obey control characters.
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

std::string log_line(const ServedRequest& request) {
  const std::string outcome =
      request.status == 0 ? "ended without an answer" : std::to_string(request.status);
  return fmt::format("{} {} {}, {} bytes, {:.1f} ms", printable(request.method),
                     printable(request.path), outcome, request.received, 1000 * request.seconds);
}

// Which is everybody's; one that somebody named may be theirs alone.
bool is_bundled(const Options& options) {
  const char* named = std::getenv("FERPLUS_MODEL");
  return options.model.empty() && (named == nullptr || *named == '\0');
}

int run(Options& options) {
  apply(options.general);
  const std::filesystem::path model = given_or_bundled(options.model, options.general);
  check_binary_output(options.port_file, {model});
  remove_old_port_file(options.port_file);
  options.server.workers = thread_count();
  set_thread_count(1);
  if (is_bundled(options) || options.share_model) options.server.model_file = model;
  options.server.most_bytes = static_cast<std::size_t>(options.megabytes) << 20;
  options.server.log = [&](const ServedRequest& request) { line(options, log_line(request)); };
  install_interrupt_handlers();
  Server server(Predictor(load_model(model), apply(options.compute)), options.server);
  std::optional<PortFile> port_file;
  port_file.emplace(options.port_file, server.port());
  line(options, fmt::format("listening on {}, Ctrl-C ends it", server.url()));
  while (!interrupt_flag()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  line(options, "ending: requests under way are answered first; Ctrl-C again stops at once");
  port_file.reset();
  server.stop();
  return kExitSuccess;
}

}  // namespace

Run setup_serve(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = "[--model M] [--host H] [--port P] [--detect] [--samples DIR]",
       .details =
           "A page to choose, drop or take a picture on, and two interfaces for programs: POST "
           "/predict answers in JSON, of the whole picture or with ?detect=1 of each face in it; "
           "/api is ModelHub's (modelhub-engine): get_config, get_legal, get_model_io, "
           "get_model_files, get_samples, predict_sample and predict. GET /health says what "
           "serves.\n"
           "It listens on this machine alone unless --host says otherwise, and has no encryption "
           "and no passwords: put a proxy that has both in front before strangers can reach it. No "
           "picture and no "
           "address is kept or logged. Ctrl-C or SIGTERM takes no more requests, answers those "
           "under way and ends with exit code 0.",
       .example = "ferplus serve\n"
                  "ferplus serve --model runs/first/best.safetensors --port 9000 --detect\n"
                  "curl --data-binary @photo.jpg 'localhost:8080/predict?detect=1'\n"
                  "curl -F file=@face.png localhost:8080/api/predict"});
  add_model_option(app, options->model);
  app.add_option("--host", options->server.host,
                 "Address or name to listen on; 0.0.0.0 or :: for all of this machine's")
      ->type_name("HOST")
      ->capture_default_str()
      ->group("Server");
  app.add_option("--port", options->server.port, "Port to listen on; 0 for one that is free")
      ->type_name("PORT")
      ->check(whole_number(0, 65535))
      ->capture_default_str()
      ->group("Server");
  app.add_option(
         "--url", options->server.url,
         "Where clients reach it if that is elsewhere, behind a proxy: https://example.org/faces/. "
         "The proxy strips the path. Calls by other names are then refused, as they are "
         "while only this machine reaches it")
      ->type_name("URL")
      ->group("Server");
  app.add_flag(
         "--share-model", options->share_model,
         "Give the model away (get_model_files), with a README.md beside its file; the bundled "
         "one always is")
      ->group("Server");
  app.add_option(
         "--port-file", options->port_file,
         "Write the port to FILE, which is there while the server listens, for scripts with "
         "--port 0")
      ->type_name("FILE")
      ->group("Server");
  app.add_option("--max-size", options->megabytes,
                 "Largest picture that is taken, as a file, in MB")
      ->type_name("MB")
      ->check(whole_number(1, kMostMegabytes))
      ->capture_default_str()
      ->group("Server");
  app.add_option("--samples", options->server.samples,
                 "PNG and JPEG files of DIR for people to try it on (default: synthetic faces)")
      ->type_name("DIR")
      ->group("Server");
  app.add_option("--allow-origin", options->server.allowed_origin,
                 "Let pages of this origin, like https://example.org, read the answers; * for all")
      ->type_name("ORIGIN")
      ->group("Server");
  app.add_flag("--detect", options->server.detect,
               "Find faces first where POST /predict does not say; needs a build with dlib. /api "
               "takes the whole picture for the face")
      ->group("Input");
  add_smallest_face_option(app, options->server.detector);
  add_compute_options(app, options->compute);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
