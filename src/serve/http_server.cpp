// libmicrohttpd carries the requests: one thread of its own for all connections, and the workers
// for what takes time, while their connections are suspended.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/serve/server.h>

#include "serve/http_listen.h"
#include "serve/http_service.h"
#include "serve/http_workers.h"

namespace ferplus {
namespace {

using namespace serve;
using Clock = std::chrono::steady_clock;

constexpr unsigned kMostConnections = 256;
constexpr unsigned kIdleSeconds = 30;                  // until a silent client is dropped
constexpr auto kMostUpload = std::chrono::minutes(2);  // until a slow one is
constexpr std::size_t kConnectionMemory = std::size_t{32} << 10;  // for its head
constexpr std::size_t kFormBuffer = std::size_t{16} << 10;
constexpr std::size_t kMostHeld = kMostPictureBytes;  // of all pictures under way
constexpr int kMostWorkers = 1024;

// Media types and codings do not mind capital letters.
bool starts_with_letters(const char* text, std::string_view start) {
  return text != nullptr && strncasecmp(text, start.data(), start.size()) == 0;
}

bool is_of(std::string_view text, std::string_view further) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           further.find(c) != std::string_view::npos;
  });
}

// What follows http:// or https://; empty if `text` is no such URL, or has another character that
// has no place in a header.
std::string_view after_scheme(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      return is_of(text, ".-:[]/_~%") && !text.starts_with('/') ? text : "";
    }
  }
  return "";
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(const Predictor& predictor, const ServerOptions& options)
      : workers_(predictor, options.detector, options.workers),
        service_(workers_.model(), options, [this] { return workers_.waiting(); }) {
    const ListeningSocket socket = listen_on(options.host, options.port);
    port_ = socket.port;
    loopback_ = socket.loopback;
    socket_ = socket.descriptor;
    // Not epoll: quiescing it while it accepts can abort the process (0.9.75).
    daemon_ = MHD_start_daemon(
        MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr,
        nullptr, on_request, this, MHD_OPTION_LISTEN_SOCKET, socket_, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, this, MHD_OPTION_CONNECTION_LIMIT, kMostConnections,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kConnectionMemory, MHD_OPTION_END);
    if (daemon_ == nullptr) {  // and has closed the socket, in most cases
      throw Error(concat("cannot serve on ", options.host, ", port ", port_,
                         ": libmicrohttpd did not start"));
    }
  }

  ~Implementation() { stop(); }

  int port() const { return port_; }
  const ServerOptions& options() const { return service_.options(); }

  void stop() {
    const std::lock_guard once(stopping_);
    if (daemon_ == nullptr) return;
    ending_ = true;
    MHD_quiesce_daemon(daemon_);
    shutdown(socket_, SHUT_RDWR);
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, options().patience, [&] { return under_way_ == 0; });
    }
    out_of_patience_ = true;
    workers_.stop();  // and with its last job the last suspended connection is resumed
    MHD_stop_daemon(daemon_);
    close(socket_);
    daemon_ = nullptr;
  }

 private:
  // A request from its head to the end of its answer.
  struct Exchange {
    Exchange(Implementation& implementation, MHD_Connection* suspendable)
        : server(implementation), connection(suspendable) {}
    ~Exchange() {
      if (form != nullptr) MHD_destroy_post_processor(form);
      forget_picture();
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    void forget_picture() {
      server.held_ -= request.picture.size();
      request.picture = {};
    }
    void refuse(Response response) {
      refusal = std::move(response);
      forget_picture();
    }

    Implementation& server;
    MHD_Connection* connection;
    Clock::time_point start = Clock::now();
    const Route* route = nullptr;
    Request request;
    std::size_t received = 0;  // bytes of the body
    MHD_PostProcessor* form = nullptr;
    std::optional<Response> refusal;  // known before the body is there
    std::optional<Response> answer;   // made while the connection was suspended
    int sent = 0;                     // the status, once it is on its way
    int cut_off = 0;                  // the status that told why, had it been sent
  };

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* data, std::size_t* size,
                               void** context) {
    try {
      auto& server = *static_cast<Implementation*>(self);
      if (*context == nullptr) return server.begin(connection, url, method, context);
      auto& exchange = *static_cast<Exchange*>(*context);
      if (*size > 0) return server.take(exchange, data, std::exchange(*size, 0));
      if (exchange.answer) return send(exchange, *exchange.answer);
      return server.finish(exchange);
    } catch (...) {
      return MHD_NO;  // no memory for an answer: the connection is closed
    }
  }

  static void on_completed(void* self, MHD_Connection*, void** context,
                           MHD_RequestTerminationCode code) {
    const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(*context));
    *context = nullptr;
    if (!exchange) return;
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK) exchange->sent = exchange->cut_off;
    static_cast<Implementation*>(self)->end(*exchange);
  }

  // The head is there.
  MHD_Result begin(MHD_Connection* connection, const char* url, const char* method,
                   void** context) {
    auto created = std::make_unique<Exchange>(*this, connection);
    Exchange& exchange = *created;
    exchange.request.method = method;
    exchange.request.path = url;
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    *context = created.release();  // on_completed takes it
    exchange.route = Service::find(method, url);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, &exchange);
    if (const char* host = header(exchange, MHD_HTTP_HEADER_HOST)) exchange.request.host = host;
    if (starts_with_letters(header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE),
                            "multipart/form-data")) {
      exchange.form = MHD_create_post_processor(connection, kFormBuffer, on_field, &exchange);
    }
    const char* length = header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const unsigned long long announced = length == nullptr ? 0 : std::strtoull(length, nullptr, 10);
    exchange.refusal = refusal(exchange, announced);
    if (!exchange.refusal) return MHD_YES;
    // Else the client may see a closed connection instead of the answer: what it sends is read and
    // dropped, unless it waits for leave to send or has too much.
    const bool sends = announced > 0 || header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    const bool waits = header(exchange, MHD_HTTP_HEADER_EXPECT) != nullptr;
    return sends && !waits && announced <= 2 * most_body() ? MHD_YES
                                                           : send(exchange, *exchange.refusal);
  }

  // What can be refused by its head alone.
  std::optional<Response> refusal(const Exchange& exchange, unsigned long long announced) const {
    const Request& request = exchange.request;
    if (ending_) return service_.failure(503, "the server is ending");
    if (!request.host.empty() && !service_.is_called(request.host, loopback_)) {
      return service_.failure(421, "this server does not go by that name");
    }
    if (exchange.route == nullptr) return service_.unrouted(request.method, request.path);
    if (announced > most_body()) return too_large();
    const char* coding = header(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING);
    if (coding != nullptr && !starts_with_letters(coding, "identity")) {
      return service_.failure(415, "send the picture as it is, not compressed");
    }
    const bool is_form =
        starts_with_letters(header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE), "multipart/form-data");
    if (is_form && exchange.form == nullptr) {
      return service_.failure(400, "the form has no boundary");
    }
    return std::nullopt;
  }

  static MHD_Result on_argument(void* context, MHD_ValueKind, const char* name, const char* value) {
    try {
      static_cast<Exchange*>(context)->request.query[name] = value == nullptr ? "" : value;
      return MHD_YES;
    } catch (...) {
      return MHD_NO;
    }
  }

  static MHD_Result on_field(void* context, MHD_ValueKind, const char* name, const char*,
                             const char*, const char*, const char* data, std::uint64_t offset,
                             std::size_t size) {
    try {
      auto& exchange = *static_cast<Exchange*>(context);
      if (std::string_view(name == nullptr ? "" : name) == "file") {
        const bool second = offset == 0 && !exchange.request.picture.empty();
        if (second) exchange.refuse(exchange.server.service_.failure(400, "one file, please"));
        if (!exchange.refusal) exchange.server.append(exchange, data, size);
      }
      return MHD_YES;
    } catch (...) {
      return MHD_NO;
    }
  }

  // Part of the body.
  MHD_Result take(Exchange& exchange, const char* data, std::size_t size) {
    exchange.received += size;
    if (exchange.received > 2 * most_body()) exchange.cut_off = MHD_HTTP_CONTENT_TOO_LARGE;
    if (Clock::now() - exchange.start > kMostUpload) exchange.cut_off = MHD_HTTP_REQUEST_TIMEOUT;
    if (exchange.cut_off != 0) return MHD_NO;
    if (!exchange.refusal && exchange.received > most_body()) exchange.refuse(too_large());
    if (exchange.refusal) return MHD_YES;
    if (exchange.form == nullptr) {
      append(exchange, data, size);
    } else if (MHD_post_process(exchange.form, data, size) != MHD_YES) {
      exchange.refuse(broken_form());
    }
    return MHD_YES;
  }

  void append(Exchange& exchange, const char* data, std::size_t size) {
    std::vector<std::byte>& picture = exchange.request.picture;
    if (picture.size() + size > options().most_bytes) {
      exchange.refuse(too_large());
    } else if (held_ + size > kMostHeld) {
      exchange.refuse(too_many());
    } else {
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      picture.insert(picture.end(), bytes, bytes + size);
      held_ += size;
    }
  }

  // The request is complete.
  MHD_Result finish(Exchange& exchange) {
    if (exchange.form != nullptr) {
      MHD_PostProcessor* form = std::exchange(exchange.form, nullptr);
      const bool whole = MHD_destroy_post_processor(form) == MHD_YES;
      if (!whole && !exchange.refusal) exchange.refuse(broken_form());
    }
    if (exchange.refusal) return send(exchange, *exchange.refusal);
    if (!exchange.route->works) {
      return send(exchange, service_.answer(*exchange.route, exchange.request, nullptr));
    }
    MHD_suspend_connection(exchange.connection);
    if (!submit(exchange)) resume(exchange, too_many());
    return MHD_YES;
  }

  bool submit(Exchange& exchange) noexcept {
    try {
      return workers_.submit([&exchange](Worker& worker, Clock::duration waited) {
        exchange.server.work(exchange, worker, waited);
      });
    } catch (...) {  // no memory: a suspended connection must be resumed all the same
      return false;
    }
  }

  void work(Exchange& exchange, Worker& worker, Clock::duration waited) noexcept {
    Response response;  // without a body the connection is closed
    try {
      response = waited > options().patience || out_of_patience_
                     ? too_many()
                     : service_.answer(*exchange.route, exchange.request, &worker);
    } catch (...) {
    }
    resume(exchange, std::move(response));
  }

  static void resume(Exchange& exchange, Response response) {
    exchange.answer = std::move(response);
    MHD_resume_connection(exchange.connection);  // after which `exchange` is the other thread's
  }

  static MHD_Result send(Exchange& exchange, const Response& response) {
    if (!response.body) return MHD_NO;
    // Holds the body until it is sent.
    auto body = std::make_unique<std::shared_ptr<const std::string>>(response.body);
    MHD_Response* message = MHD_create_response_from_buffer_with_free_callback_cls(
        (*body)->size(), const_cast<char*>((*body)->data()), release_body, body.get());
    if (message == nullptr) return MHD_NO;
    static_cast<void>(body.release());
    bool complete =
        response.type.empty() || MHD_add_response_header(message, MHD_HTTP_HEADER_CONTENT_TYPE,
                                                         response.type.c_str()) == MHD_YES;
    for (const auto& [name, value] : response.headers) {
      complete &= MHD_add_response_header(message, name.c_str(), value.c_str()) == MHD_YES;
    }
    const bool queued =
        complete && MHD_queue_response(exchange.connection, static_cast<unsigned>(response.status),
                                       message) == MHD_YES;
    MHD_destroy_response(message);
    if (queued) exchange.sent = response.status;
    return queued ? MHD_YES : MHD_NO;
  }

  static void release_body(void* body) {
    delete static_cast<std::shared_ptr<const std::string>*>(body);
  }

  void end(const Exchange& exchange) {
    service_.count(exchange.sent);
    try {
      if (options().log) {
        options().log({exchange.request.method, exchange.request.path, exchange.sent,
                       exchange.received,
                       std::chrono::duration<double>(Clock::now() - exchange.start).count()});
      }
    } catch (...) {  // nobody to tell
    }
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
    }
    ended_.notify_all();
  }

  static const char* header(const Exchange& exchange, const char* name) {
    return MHD_lookup_connection_value(exchange.connection, MHD_HEADER_KIND, name);
  }
  // Of a body: a form is a little more than its picture.
  std::size_t most_body() const { return options().most_bytes + kFormBuffer; }

  Response too_large() const {
    return service_.failure(
        413, concat("the picture has more than ", grouped(options().most_bytes), " bytes"));
  }
  Response too_many() const {
    return service_.failure(503, ending_ ? "the server is ending" : "too many wait");
  }
  Response broken_form() const { return service_.failure(400, "the form is cut off"); }

  Workers workers_;
  Service service_;  // refers to the workers' model
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0, socket_ = -1;
  bool loopback_ = true;
  std::atomic<std::size_t> held_{0};  // bytes of all requests' pictures
  std::atomic<bool> ending_{false}, out_of_patience_{false};
  std::mutex stopping_;
  std::mutex mutex_;
  std::condition_variable ended_;
  int under_way_ = 0;
};

bool serving_available() { return true; }

Server::Server(const Predictor& predictor, ServerOptions options) {
  // A model that answers nothing is to be found here, not blamed on a picture.
  const std::array<std::uint8_t, 4> gray{128, 128, 128, 128};
  Predictor(predictor).predict({gray.data(), 2, 2});
  if (options.port < 0 || options.port > 65535) {
    throw UsageError(concat("port ", options.port, " is not within 0 and 65535"));
  }
  if (options.workers < 1 || options.workers > kMostWorkers) {
    throw UsageError(concat(options.workers, " workers are not within 1 and ", kMostWorkers));
  }
  if (options.most_bytes < 1 || options.most_bytes > kMostPictureBytes) {
    throw UsageError(concat("pictures of at most ", options.most_bytes,
                            " bytes are not within 1 and ", kMostPictureBytes));
  }
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.url.empty() && after_scheme(options.url).empty()) {
    throw UsageError(concat("'", options.url, "' is no URL like https://example.org/faces"));
  }
  const std::string& origin = options.allowed_origin;
  const std::string_view host = after_scheme(origin);
  if (!origin.empty() && origin != "*" && (host.empty() || host.find('/') != host.npos)) {
    throw UsageError(concat("'", options.allowed_origin,
                            "' is no origin: * or one like https://example.org, without a path"));
  }
  if (options.detect) require_detection();
  implementation_ = std::make_unique<Implementation>(predictor, options);
}

Server::~Server() = default;

int Server::port() const { return implementation_->port(); }

std::string Server::url() const {
  const std::string& host = implementation_->options().host;
  const bool bracketed = host.find(':') != std::string::npos;
  return concat("http://", bracketed ? "[" + host + "]" : host, ":", port());
}

void Server::stop() { implementation_->stop(); }

}  // namespace ferplus
