// libmicrohttpd carries the requests: one thread of its own for all connections, and the workers
// for what takes time, while their connections are suspended.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <microhttpd.h>
#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/serve/server.h>

#include "serve/http_listen.h"
#include "serve/http_service.h"
#include "serve/http_workers.h"

namespace ferplus {
namespace {

using namespace serve;
using Clock = std::chrono::steady_clock;

constexpr unsigned kMostConnections = 256;
constexpr unsigned kIdleSeconds = 30;  // until a silent client is dropped
constexpr std::size_t kConnectionMemory = std::size_t{32} << 10;  // for its headers
constexpr std::size_t kFormBuffer = std::size_t{16} << 10;
constexpr std::size_t kMostHeld = std::size_t{512} << 20;  // of all pictures under way
constexpr int kMostWorkers = 1024;

}  // namespace

class Server::Implementation {
 public:
  Implementation(const Predictor& predictor, const ServerOptions& options)
      : workers_(predictor, options.detector, options.workers),
        service_(workers_.model(), options, [this] { return workers_.waiting(); }) {
    const ListeningSocket socket = listen_on(options.host, options.port);
    port_ = socket.port;
    daemon_ = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr,
        nullptr, on_request, this, MHD_OPTION_LISTEN_SOCKET, socket.descriptor,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_CONNECTION_LIMIT,
        kMostConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory, MHD_OPTION_END);
    if (daemon_ == nullptr) {
      close(socket.descriptor);
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
    const MHD_socket socket = MHD_quiesce_daemon(daemon_);
    if (socket != MHD_INVALID_SOCKET) close(socket);
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, options().patience, [&] { return under_way_ == 0; });
    }
    workers_.stop();  // and with its last job the last suspended connection is resumed
    MHD_stop_daemon(daemon_);
    daemon_ = nullptr;
  }

 private:
  // A request from its first byte to the end of its answer.
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

    Implementation& server;
    MHD_Connection* connection;
    Clock::time_point start = Clock::now();
    const Route* route = nullptr;
    Request request;
    MHD_PostProcessor* form = nullptr;
    bool form_broken = false;
    int refused = 0;  // the status if its body is too large
    std::size_t discarded = 0;
    bool answered = false;
    Response response;
    int sent = 0;  // the status, once it is on its way
  };

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* data, std::size_t* size,
                               void** context) {
    try {
      auto& server = *static_cast<Implementation*>(self);
      if (*context == nullptr) return server.begin(connection, url, method, context);
      auto& exchange = *static_cast<Exchange*>(*context);
      if (*size > 0) return server.take(exchange, data, *size, *size);
      return exchange.answered ? server.send(exchange) : server.answer(exchange);
    } catch (...) {
      return MHD_NO;  // no memory for an answer: the connection is closed
    }
  }

  static void on_completed(void* self, MHD_Connection*, void** context,
                           MHD_RequestTerminationCode) {
    const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(*context));
    *context = nullptr;
    if (exchange) static_cast<Implementation*>(self)->end(*exchange);
  }

  MHD_Result begin(MHD_Connection* connection, const char* url, const char* method,
                   void** context) {
    auto created = std::make_unique<Exchange>(*this, connection);
    Exchange& exchange = *created;
    exchange.request.method = method;
    exchange.request.path = url;
    exchange.route = Service::find(method, url);
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    *context = created.release();  // on_completed takes it
    // What needs no body is answered before it comes, and the connection closed after it.
    const char* length = header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char* coding = header(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING);
    const unsigned long long announced = length == nullptr ? 0 : std::strtoull(length, nullptr, 10);
    if (ending_) return send(exchange, service_.failure(503, "the server is ending"));
    if (exchange.route == nullptr) return send(exchange, service_.unrouted(method, url));
    if (announced > options().most_bytes + kFormBuffer) {
      return send(exchange, service_.failure(413, too_large()));
    }
    if (coding != nullptr && std::string_view(coding) != "identity") {
      return send(exchange, service_.failure(415, "send the picture as it is, not compressed"));
    }
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, &exchange);
    if (const char* host = header(exchange, MHD_HTTP_HEADER_HOST)) exchange.request.host = host;
    const char* type = header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type != nullptr && std::string_view(type).starts_with("multipart/form-data")) {
      exchange.form = MHD_create_post_processor(connection, kFormBuffer, on_field, &exchange);
      if (exchange.form == nullptr) {
        return send(exchange, service_.failure(400, "the form has no boundary"));
      }
    }
    return MHD_YES;
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
        if (offset == 0 && !exchange.request.picture.empty()) return MHD_NO;  // a second one
        exchange.server.append(exchange, data, size);
      }
      return MHD_YES;
    } catch (...) {
      return MHD_NO;
    }
  }

  // Part of the body.
  MHD_Result take(Exchange& exchange, const char* data, std::size_t size, std::size_t& left) {
    left = 0;
    if (exchange.refused != 0 || exchange.form_broken || exchange.request.method != "POST") {
      // An answer may not overtake the body, so this much more of it is read and dropped.
      exchange.discarded += size;
      return exchange.discarded <= options().most_bytes ? MHD_YES : MHD_NO;
    }
    if (exchange.form == nullptr) {
      append(exchange, data, size);
    } else if (MHD_post_process(exchange.form, data, size) != MHD_YES) {
      exchange.form_broken = true;
    }
    return MHD_YES;
  }

  void append(Exchange& exchange, const char* data, std::size_t size) {
    std::vector<std::byte>& picture = exchange.request.picture;
    if (picture.size() + size > options().most_bytes) {
      exchange.refused = 413;
    } else if (held_ + size > kMostHeld) {
      exchange.refused = 503;
    } else {
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      picture.insert(picture.end(), bytes, bytes + size);
      held_ += size;
      return;
    }
    exchange.forget_picture();
  }

  // The request is complete.
  MHD_Result answer(Exchange& exchange) {
    if (exchange.form != nullptr) {
      MHD_PostProcessor* form = std::exchange(exchange.form, nullptr);
      if (MHD_destroy_post_processor(form) != MHD_YES) exchange.form_broken = true;
    }
    if (exchange.refused == 413) return send(exchange, service_.failure(413, too_large()));
    if (exchange.refused == 503) return send(exchange, service_.failure(503, "too many wait"));
    if (exchange.form_broken) {
      return send(exchange, service_.failure(400, "the form is cut off or has more than one file"));
    }
    if (!exchange.route->works) {
      return send(exchange, service_.answer(*exchange.route, exchange.request, nullptr));
    }
    MHD_suspend_connection(exchange.connection);
    const bool taken = workers_.submit([&exchange](Bench& bench, Clock::duration waited) {
      exchange.server.work(exchange, bench, waited);
    });
    if (!taken) resume(exchange, service_.failure(503, "the server is ending"));
    return MHD_YES;
  }

  void work(Exchange& exchange, Bench& bench, Clock::duration waited) noexcept {
    Response response = waited > options().patience
                            ? service_.failure(503, "too many wait")
                            : service_.answer(*exchange.route, exchange.request, &bench);
    resume(exchange, std::move(response));
  }

  static void resume(Exchange& exchange, Response response) {
    exchange.response = std::move(response);
    exchange.answered = true;
    MHD_resume_connection(exchange.connection);  // after which `exchange` is the other thread's
  }

  static MHD_Result send(Exchange& exchange, Response response) {
    exchange.response = std::move(response);
    return send(exchange);
  }

  static MHD_Result send(Exchange& exchange) {
    const Response& response = exchange.response;
    // Holds the body until it is sent.
    auto body = std::make_unique<std::shared_ptr<const std::string>>(response.body);
    MHD_Response* message = MHD_create_response_from_buffer_with_free_callback_cls(
        (*body)->size(), const_cast<char*>((*body)->data()), release_body, body.get());
    if (message == nullptr) return MHD_NO;
    static_cast<void>(body.release());
    if (!response.type.empty()) {
      MHD_add_response_header(message, MHD_HTTP_HEADER_CONTENT_TYPE, response.type.c_str());
    }
    for (const auto& [name, value] : response.headers) {
      MHD_add_response_header(message, name.c_str(), value.c_str());
    }
    const MHD_Result result =
        MHD_queue_response(exchange.connection, static_cast<unsigned>(response.status), message);
    MHD_destroy_response(message);
    if (result == MHD_YES) exchange.sent = response.status;
    return result;
  }

  static void release_body(void* body) {
    delete static_cast<std::shared_ptr<const std::string>*>(body);
  }

  void end(const Exchange& exchange) {
    service_.count(exchange.sent);
    if (options().log) {
      options().log({exchange.request.method, exchange.request.path, exchange.sent,
                     exchange.request.picture.size(),
                     std::chrono::duration<double>(Clock::now() - exchange.start).count()});
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

  std::string too_large() const {
    return concat("the picture has more than ", options().most_bytes, " bytes");
  }

  Workers workers_;
  Service service_;  // refers to the workers' model
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0;
  std::atomic<std::size_t> held_{0};  // bytes of all requests' pictures
  std::atomic<bool> ending_{false};
  std::mutex stopping_;
  std::mutex mutex_;
  std::condition_variable ended_;
  int under_way_ = 0;
};

bool serving_available() { return true; }

Server::Server(const Predictor& predictor, ServerOptions options) {
  if (options.port < 0 || options.port > 65535) {
    throw UsageError(concat("port ", options.port, " is not within 0 and 65535"));
  }
  if (options.workers < 1 || options.workers > kMostWorkers) {
    throw UsageError(concat(options.workers, " workers are not within 1 and ", kMostWorkers));
  }
  if (options.most_bytes < 1 || options.most_bytes > kMostHeld) {
    throw UsageError(concat("pictures of at most ", options.most_bytes,
                            " bytes are not within 1 and ", kMostHeld));
  }
  if (options.detect && !detection_available()) make_face_detector(options.detector);  // throws
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
