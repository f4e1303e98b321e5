// Clients that send too much, too slowly, under wrong names or damaged requests, and the end.
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/random.h>
#include <ferplus/serve/server.h>

#include "serve/http_fixture.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(HttpServer, LargeAndCompressedBodiesAreRefused) {
  const std::string large(options_.most_bytes + 1, 'x');
  EXPECT_EQ(ask("POST", "/predict", "Content-Length: 99999999999\r\n").status, 413);
  EXPECT_EQ(ask("POST", "/predict", "", large).status, 413);
  EXPECT_EQ(ask("POST", "/predict", kFormHeader, form_file("file", large)).status, 413);
  HttpClient chunked(server().port());
  chunked.send(chunked_request("/predict", "", large));
  const HttpAnswer answer = chunked.receive();
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("more than 100,000 bytes"));
  // What is not the picture counts as well.
  const std::string crowded = form_file("other", large + std::string(20'000, 'x'), "");
  HttpClient form(server().port());
  form.send(chunked_request("/predict", kFormHeader, crowded + form_file("file", face_)));
  EXPECT_EQ(form.receive().status, 413);
  EXPECT_EQ(ask("POST", "/predict", "Content-Encoding: gzip\r\n", face_).status, 415);
  // Refused by its head, but the answer comes after the body, so that the client sees it.
  HttpClient patient(server().port());
  patient.send(http_request("POST", "/nothing", "", large));
  EXPECT_EQ(patient.receive().status, 404);
  patient.send(http_request("POST", "/predict", "", face_));
  EXPECT_EQ(patient.receive().status, 200);
  // One that waits for leave is told at once.
  HttpClient waiting(server().port());
  waiting.send(
      "POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 150000\r\n\r\n");
  EXPECT_EQ(waiting.receive().status, 413);
  // Just within the limit is a picture, if a poor one.
  EXPECT_EQ(ask("POST", "/predict", "", large.substr(1)).status, 400);
  expect_alive();
}

TEST_F(HttpServer, AnEndlessBodyIsCutOff) {
  std::set<int> logged;
  options_.log = [&](const ServedRequest& request) { logged.insert(request.status); };
  const std::string form = form_file("other", "x", "");
  for (const std::string& start : {std::string("x"), form.substr(0, form.size() - 2)}) {
    HttpClient endless(server().port());
    const std::string begun =
        chunked_request("/predict", start.size() > 1 ? kFormHeader : "", start);
    endless.send(begun.substr(0, begun.size() - std::string_view("0\r\n\r\n").size()));
    const std::string chunk = "2710\r\n" + std::string(10'000, 'x') + "\r\n";
    bool taken = true;
    for (int i = 0; i < 100'000 && taken; ++i) taken = endless.send(chunk);
    EXPECT_FALSE(taken);
    expect_alive();
  }
  server().stop();
  EXPECT_EQ(logged, (std::set<int>{200, 413}));
}

TEST_F(HttpServer, ForeignNamesAreRefused) {
  const auto status = [&](const std::string& host) {
    HttpClient client(server().port());
    client.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.receive().status;
  };
  const auto restart = [&](const std::string& host, const std::string& url) {
    server_.reset();
    options_.host = host;
    options_.url = url;
  };
  for (const char* host :
       {"localhost", "LocalHost:8080", "127.0.0.1:1", "192.168.1.2", "[::1]:1", "[fe80::1]"}) {
    EXPECT_EQ(status(host), 200) << host;
  }
  for (const char* host : {"example.org", "example.org:80", "localhost.example.org", "[::1", "::1",
                           "127.0.0.1.example.org", "[example.org]"}) {
    EXPECT_EQ(status(host), 421) << host;
  }
  restart("127.0.0.1", "https://example.org:444/faces/");
  EXPECT_EQ(status("example.org:80"), 200);
  EXPECT_EQ(status("localhost"), 200);
  EXPECT_EQ(status("other.example.org"), 421);
  EXPECT_EQ(json::parse(ask("GET", "/api/get_samples").body)[0],
            "https://example.org:444/faces/api/samples/anger.png");
  restart("0.0.0.0", "");
  EXPECT_EQ(status("example.org"), 200);
  restart("0.0.0.0", "http://example.org");
  EXPECT_EQ(status("example.org"), 200);
  EXPECT_EQ(status("127.0.0.1"), 200);
  EXPECT_EQ(status("example.com"), 421);
}

TEST_F(HttpServer, SilentAndUnfinishedRequestsHoldNobodyUp) {
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 50; ++i) {
    silent.push_back(std::make_unique<HttpClient>(server().port()));
    ASSERT_TRUE(silent.back()->connected());
    if (i % 2 == 0) silent.back()->send("POST /predict HTTP/1.1\r\nContent-Le");
    if (i % 5 == 0) silent.back()->end_of_input();
  }
  expect_alive();
}

TEST_F(HttpServer, WhoWaitsTooLongIsToldToComeBack) {
  options_.patience = std::chrono::milliseconds(-1);  // any wait is too long
  const HttpAnswer answer = ask("POST", "/predict", "", face_);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(HttpServer, AnswersWhatIsUnderWayWhenItEnds) {
  HttpClient client(server().port());
  const std::string request = http_request("POST", "/predict", "", face_);
  client.send(request.substr(0, request.size() / 2));
  // The server knows of it once a later one was answered.
  expect_alive();
  std::thread ending([&] { server().stop(); });
  while (HttpClient(server().port()).connected()) std::this_thread::yield();
  client.send(request.substr(request.size() / 2));
  EXPECT_EQ(client.receive().status, 200);
  ending.join();
  server().stop();  // once is enough, twice is nothing
}

TEST_F(HttpServer, CutsOffWhoDoesNotFinish) {
  options_.patience = std::chrono::milliseconds(50);
  HttpClient client(server().port());
  client.send("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf");
  EXPECT_EQ(ask("GET", "/health").status, 200);  // so that it knows of the first
  server().stop();
  EXPECT_EQ(client.receive().status, 0);
}

// Requests with bytes changed, removed and inserted: whatever they get, the server goes on.
TEST_F(HttpServer, SurvivesDamagedRequests) {
  const std::vector<std::string> sound = {
      http_request("POST", "/predict?detect=0", "", face_),
      http_request("POST", "/api/predict", kFormHeader, form_file("file", face_)),
      http_request("GET", "/api/predict_sample?filename=anger.png"),
      chunked_request("/predict", "", "abcde")};
  RandomSequence random({.seed = 1, .stream = Stream::synth, .sample = 0});
  std::set<int> statuses;
  for (int i = 0; i < 400; ++i) {
    std::string request = sound[static_cast<std::size_t>(i) % sound.size()];
    for (int change = 0; change < 1 + i % 7; ++change) {
      // The head matters more than the picture.
      const std::size_t most = std::min<std::size_t>(request.size(), i % 3 == 0 ? 5000 : 200);
      const auto place = static_cast<std::size_t>(random.uniform() * static_cast<double>(most));
      const char byte = static_cast<char>(static_cast<int>(random.uniform() * 256));
      switch (static_cast<int>(random.uniform() * 3)) {
        case 0:
          request[place] = byte;
          break;
        case 1:
          request.erase(place, 1 + place % 5);
          break;
        default:
          request.insert(place, 1 + place % 40, byte);
      }
    }
    HttpClient client(server().port(), 50);  // a head that lost its end waits for more
    client.send(request);
    statuses.insert(client.receive().status);
  }
  EXPECT_TRUE(statuses.contains(400));
  EXPECT_FALSE(statuses.contains(500));
  expect_alive();
}

}  // namespace
}  // namespace ferplus
