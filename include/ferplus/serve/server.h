// Predictions over HTTP: a page for people, an API of its own and ModelHub's (modelhub-engine),
// through libmicrohttpd, a component of the build.
//
//   GET  /             a page: choose, drop or take a picture, see what ten taggers would say
//   POST /predict      a PNG or JPEG as the body, or as the field "file" of a form. ?detect=1 finds
//                      the faces first, ?detect=0 takes the picture for the face. JSON: status
//                      ("ok", "no_face"), width, height, faces (nn/photograph.h), seconds
//   GET  /health       JSON: what serves, for how long, how many requests, how many wait
//   GET  /api/…        get_config, get_legal, get_model_io, get_model_files (zip), get_samples,
//                      samples/FILE, thumbnail/thumbnail.png, predict_sample?filename=FILE
//   POST /api/predict  field "file"; the picture is the face. GET …?fileurl= is refused: a server
//                      that fetches what strangers name reaches what they cannot
//
// Failures are {"error": …}: 400 for a picture or a request that makes no sense, 404, 405, 413 for
// one that is too large, 415 for a compressed body, 421 for a foreign name, 503 where too many wait
// (Retry-After) or the server ends, 500 for a defect. A body that goes on beyond twice what is
// allowed, or for more than two minutes, is cut off without an answer. What is not HTTP at all, and
// heads of more than 32 kB, are answered by libmicrohttpd in HTML. No picture and no address is
// kept or logged.
//
// Memory: the weights once, and the files that get_model_files and get_samples give; of each
// worker, a session and what decoding a picture needs (io/image.h: up to some 300 MB); of the
// pictures that wait, up to 256 MB, and twice that while they come.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <ferplus/detect/face_detector.h>
#include <ferplus/nn/predictor.h>

namespace ferplus {

// A request that has ended.
struct ServedRequest {
  std::string method, path;  // percent-decoded: any bytes
  int status = 0;            // 0: ended without an answer; 413, 408: cut off, without one
  std::size_t received = 0;  // bytes of its body
  double seconds = 0;        // from the end of its head to that of the answer
};

struct ServerOptions {
  // Address or name to listen on. The default is reached from this machine alone; "::" or "0.0.0.0"
  // is everybody's. No encryption: put a proxy that has it in front before strangers can reach it.
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: one that is free
  // Where clients reach it if that is elsewhere, behind a proxy: http(s)://host[:port][/path].
  // Requests that call the server by other names than this one's, `host` and localhost are refused
  // (421), so that no foreign page gets at it by a name of its own that leads here. If empty,
  // they are refused only while it listens on a loopback address. Numeric addresses are never
  // refused.
  std::string url{};
  // Pictures that are worked on at a time, each by a thread of its own that uses thread_count()
  // threads itself: best as many as processors, with set_thread_count(1).
  int workers = 1;
  bool detect = false;  // what POST /predict does without ?detect
  DetectorOptions detector{};
  std::size_t most_bytes = std::size_t{20} << 20;  // of one picture as a file
  // A request that waited longer when a worker comes to it is answered 503 at once, and so are all
  // that come where 32 wait for each worker. stop() waits as long for requests under way.
  std::chrono::milliseconds patience{20'000};
  // Of the model, for get_model_files to give away with a README.md beside it; read once. Empty: it
  // answers 404.
  std::filesystem::path model_file{};
  // Pictures for get_samples: files of this folder that end in .png, .jpg or .jpeg and do not begin
  // with a dot. Empty: eight synthetic faces (data/synth.h).
  std::filesystem::path samples{};
  // Value of Access-Control-Allow-Origin, for pages of other sites; empty: none.
  std::string allowed_origin{};
  // Called after each request, from the server's thread, one at a time. What it throws is dropped.
  // Must not call stop().
  std::function<void(const ServedRequest&)> log{};
};

// Largest ServerOptions::most_bytes.
inline constexpr std::size_t kMostPictureBytes = std::size_t{256} << 20;

// Whether this build has the component.
bool serving_available();

// Thread-safe.
class Server {
 public:
  // Listens and answers from here on. Copies `predictor` for each worker. Throws Error if it cannot
  // listen there, if a sample cannot be read, or in a build without the component; UsageError for
  // options out of range.
  Server(const Predictor& predictor, ServerOptions options);
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  // "http://127.0.0.1:8080"
  std::string url() const;
  // Takes no more connections, answers the requests under way, and returns; after `patience` it
  // waits for the pictures in work only, and cuts off the rest. Once is enough.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ferplus
