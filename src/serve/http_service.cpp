#include "serve/http_service.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <strings.h>

#include <ferplus/core/clock.h>
#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/image.h>
#include <ferplus/nn/photograph.h>

#include "serve/http_archive.h"
#include "serve/http_page.h"

namespace ferplus::serve {
namespace {

using nlohmann::ordered_json;

// An answer other than 200, for people and programs.
class Refusal : public Error {
 public:
  Refusal(int status, const std::string& reason) : Error(reason), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

Response text(std::string body, const char* type) {
  return {200, type, std::make_shared<const std::string>(std::move(body)), {}};
}

Response json(const ordered_json& value) {
  // Names of files need not be UTF-8.
  return text(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n',
              "application/json");
}

bool asked_to_detect(const Service& service, const Request& request) {
  const auto found = request.query.find("detect");
  if (found == request.query.end()) return service.options().detect;
  if (found->second == "1" || found->second == "true") return true;
  if (found->second == "0" || found->second == "false") return false;
  throw Refusal(400, "detect is 1 or 0");
}

GrayImage read_picture(std::span<const std::byte> bytes) { return read_image(bytes, "picture"); }

void require_picture(const Request& request) {
  if (request.picture.empty()) {
    throw Refusal(400,
                  "no picture: send a PNG or JPEG as the body, or as the field 'file' of a form");
  }
}

Response predict(const Service& service, const Request& request, Worker* worker) {
  const SteadyTime start = steady_now();
  const bool detect = asked_to_detect(service, request);
  require_picture(request);
  if (detect) require_detection();
  const GrayImage image = read_picture(request.picture);
  const auto faces =
      predict_faces(image.view(), worker->predictor, detect ? worker->detector.get() : nullptr);
  service.count_faces(faces.size());
  ordered_json answer = {{"status", faces.empty() ? "no_face" : "ok"},
                         {"width", image.width},
                         {"height", image.height},
                         {"faces", ordered_json::array()}};
  for (const FacePrediction& face : faces) answer["faces"].push_back(to_json(face));
  answer["seconds"] = seconds_since(start);
  return json(answer);
}

Response modelhub_predict(const Service& service, std::span<const std::byte> bytes,
                          Worker* worker) {
  const SteadyTime start = steady_now();
  if (image_format(bytes) == ImageFormat::unknown) throw Refusal(400, "Incorrect file type.");
  const GrayImage image = read_picture(bytes);
  const Probabilities probabilities = worker->predictor.predict(image.view());
  service.count_faces(1);
  return json(modelhub_prediction(service.identity(), probabilities, seconds_since(start),
                                  std::chrono::system_clock::now()));
}

Response api_predict(const Service& service, const Request& request, Worker* worker) {
  require_picture(request);
  return modelhub_predict(service, request.picture, worker);
}

Response api_predict_url(const Service&, const Request&, Worker*) {
  throw Refusal(
      400,
      "this server fetches no URLs: send the picture with POST /api/predict, as the field "
      "'file' of a form");
}

const SamplePicture& sample(const Service& service, const std::string& name, int status) {
  const auto found = service.samples().find(name);
  if (found == service.samples().end()) {
    throw Refusal(status, "no such sample; /api/get_samples names them");
  }
  return found->second;
}

Response api_predict_sample(const Service& service, const Request& request, Worker* worker) {
  const auto name = request.query.find("filename");
  if (name == request.query.end()) throw Refusal(400, "which sample? ?filename= is missing");
  const SamplePicture& picture = sample(service, name->second, 400);
  return modelhub_predict(service, std::as_bytes(std::span(*picture.bytes)), worker);
}

Response api_sample(const Service& service, const Request& request, Worker*) {
  const SamplePicture& picture =
      sample(service, request.path.substr(std::string_view("/api/samples/").size()), 404);
  return {200, picture.type, picture.bytes, {}};
}

Response api_thumbnail(const Service& service, const Request&, Worker*) {
  const SamplePicture& picture = service.samples().begin()->second;
  return {200, picture.type, picture.bytes, {}};
}

std::string escaped(std::string_view name) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string url;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      url += c;
    } else {
      (url += '%').append({kDigits[byte / 16], kDigits[byte % 16]});
    }
  }
  return url;
}

// Of this server as clients call it; empty if that is not plausible.
std::string base_of(const Service& service, const Request& request) {
  if (!service.options().url.empty()) return service.options().url;
  constexpr std::string_view kRest = ".-:[]";
  const bool plausible = !request.host.empty() && std::ranges::all_of(request.host, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kRest.find(c) != std::string_view::npos;
  });
  return plausible ? "http://" + request.host : "";
}

Response api_samples(const Service& service, const Request& request, Worker*) {
  ordered_json urls = ordered_json::array();
  for (const auto& [name, picture] : service.samples()) {
    urls.push_back(base_of(service, request) + "/api/samples/" + escaped(name));
  }
  return json(urls);
}

Response api_config(const Service& service, const Request&, Worker*) {
  return json(service.config());
}

Response api_legal(const Service& service, const Request&, Worker*) {
  return json(modelhub_legal(service.options().samples.empty()));
}

Response api_model_io(const Service& service, const Request&, Worker*) {
  return json(service.config().at("model").at("io"));
}

Response api_model_files(const Service& service, const Request&, Worker*) {
  if (!service.archive()) {
    throw Refusal(404, "this server does not give its model away");
  }
  return {200,
          "application/zip",
          service.archive(),
          {{"Content-Disposition", "attachment; filename=\"model.zip\""}}};
}

Response health(const Service& service, const Request&, Worker*) { return json(service.health()); }

Response page(const Service&, const Request&, Worker*) {
  Response response = text(kPageHtml, "text/html; charset=utf-8");
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
       "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"Referrer-Policy", "no-referrer"}};
  return response;
}
Response page_style(const Service&, const Request&, Worker*) {
  return text(kPageCss, "text/css; charset=utf-8");
}
Response page_script(const Service&, const Request&, Worker*) {
  return text(kPageJs, "text/javascript; charset=utf-8");
}

constexpr Route kRoutes[] = {
    {"GET", "/", false, page},
    {"GET", "/page.css", false, page_style},
    {"GET", "/page.js", false, page_script},
    {"GET", "/health", false, health},
    {"POST", "/predict", true, predict},
    {"GET", "/api/get_config", false, api_config},
    {"GET", "/api/get_legal", false, api_legal},
    {"GET", "/api/get_model_io", false, api_model_io},
    {"GET", "/api/get_model_files", false, api_model_files},
    {"GET", "/api/get_samples", false, api_samples},
    {"GET", "/api/samples/", false, api_sample},
    {"GET", "/api/thumbnail/", false, api_thumbnail},
    {"GET", "/api/predict_sample", true, api_predict_sample},
    {"GET", "/api/predict", false, api_predict_url},
    {"POST", "/api/predict", true, api_predict},
};

bool matches(const Route& route, std::string_view path) {
  const bool stands_for_all_below = route.path.size() > 1 && route.path.ends_with('/');
  return stands_for_all_below ? path.starts_with(route.path) : path == route.path;
}

std::shared_ptr<const std::string> archive_of(const std::filesystem::path& model,
                                              const ordered_json& config) {
  std::vector<std::pair<std::string, std::string>> files;
  const auto add = [&](const std::filesystem::path& path) {
    files.emplace_back("model/" + path.filename().string(), std::string(MappedFile(path).text()));
  };
  add(model);
  const std::filesystem::path card = model.parent_path() / "README.md";
  if (file_exists(card)) add(card);
  files.emplace_back("model/config.json", config.dump(2) + '\n');
  return std::make_shared<const std::string>(zip_archive(files));
}

// "[::1]:80" → "[::1]", "localhost:80" → "localhost".
std::string_view without_port(std::string_view host) {
  return host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
}

// "https://example.org:1/a" → "example.org:1".
std::string_view authority(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return url.substr(0, url.find('/'));
}

bool is_address(std::string_view name) {
  const bool six = name.size() > 2 && name.starts_with('[') && name.ends_with(']');
  const std::string text(six ? name.substr(1, name.size() - 2) : name);
  in6_addr address;
  return inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), &address) == 1;
}

bool same_letters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// The one place that turns errors into statuses.
std::pair<int, std::string> status_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Refusal& refusal) {
    return {refusal.status(), refusal.what()};
  } catch (const Error& error) {
    return {400, error.what()};
  } catch (const std::bad_alloc&) {
    return {503, "out of memory"};
  } catch (const std::exception& error) {
    return {500, error.what()};
  }
}

}  // namespace

Service::Service(const Model& model, const ServerOptions& options,
                 std::function<std::size_t()> waiting)
    : model_(&model),
      options_(options),
      waiting_(std::move(waiting)),
      samples_(load_samples(options.samples, options.most_bytes)),
      identity_(identify(model)),
      config_(modelhub_config(model, identity_)) {
  // Now, as the file may be another one later.
  if (!options_.model_file.empty()) archive_ = archive_of(options_.model_file, config_);
}

std::span<const Route> Service::routes() { return kRoutes; }

const Route* Service::find(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";  // the same without its body, which is not sent
  const auto found = std::ranges::find_if(
      kRoutes, [&](const Route& route) { return route.method == method && matches(route, path); });
  return found == std::end(kRoutes) ? nullptr : found;
}

Response Service::answer(const Route& route, const Request& request, Worker* worker) const {
  try {
    return finished(route.answer(*this, request, worker));
  } catch (...) {
    const auto [status, reason] = status_of(std::current_exception());
    return failure(status, reason);
  }
}

bool Service::is_called(std::string_view host, bool loopback) const {
  const std::string_view name = without_port(host);
  // The page of a name that leads here is foreign; one of the address itself is ours.
  if (is_address(name)) return true;
  if (same_letters(name, "localhost") || same_letters(name, options_.host)) return true;
  if (options_.url.empty()) return !loopback;
  return same_letters(name, without_port(authority(options_.url)));
}

Response Service::unrouted(std::string_view method, std::string_view path) const {
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!matches(route, path)) continue;
    if (route.method == "GET") allowed += "GET, HEAD, ";
    if (route.method == "POST") allowed += "POST, ";
  }
  if (allowed.empty()) return failure(404, "there is nothing at this path");
  allowed += "OPTIONS";
  Response response = method == "OPTIONS"
                          ? finished({204, "", std::make_shared<const std::string>(), {}})
                          : failure(405, "this path takes " + allowed);
  response.headers.emplace_back("Allow", allowed);
  if (method == "OPTIONS" && !options_.allowed_origin.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Methods", allowed);
    response.headers.emplace_back("Access-Control-Allow-Headers", "Content-Type");
  }
  return response;
}

Response Service::failure(int status, const std::string& reason) const {
  Response response = json({{"error", reason}});
  response.status = status;
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return finished(std::move(response));
}

Response Service::finished(Response response) const {
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-store");
  if (!options_.allowed_origin.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", options_.allowed_origin);
    if (options_.allowed_origin != "*") response.headers.emplace_back("Vary", "Origin");
  }
  return response;
}

void Service::count(int status) const {
  ++answered_[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))];
}

ordered_json Service::health() const {
  return {
      {"status", "ok"},
      {"model", {{"id", identity_.id}, {"name", identity_.name}}},
      {"calibrated", model().temperature() != 1},
      {"detection", detection_available()},
      {"detect", options_.detect},
      {"jpeg", jpeg_available()},
      {"most_bytes", options_.most_bytes},
      {"workers", options_.workers},
      {"waiting", waiting_()},
      {"faces", faces_.load()},
      {"answered",
       {{"2xx", answered_[2].load()}, {"4xx", answered_[4].load()}, {"5xx", answered_[5].load()}}},
      {"uptime_seconds", seconds_since(started_)}};
}

}  // namespace ferplus::serve
