// `serve` as a program: started, asked, ended by a signal.
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <ferplus/io/png.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/serve/server.h>

#include "cli/command.h"
#include "support/http_client.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class ServeCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (!serving_available()) GTEST_SKIP() << "this build has no HTTP";
    const Network network = build_model("vgg_mini");
    Parameters parameters(network);
    initialize(network, parameters, Initialization::he_normal, 3);
    save_model(model_, network, parameters, {{"mode", "majority"}});
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 48 * 48; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
    write_png(face_, pixels.data(), 48, 48);
  }

  // Starts the command, does `action(port)` once it listens, then sends it the signal.
  template <typename Action>
  CommandResult serve(std::vector<std::string> options, int signal_number, Action&& action) {
    const auto port_file = folder_ / "port", done = folder_ / "done";
    std::filesystem::remove(done);
    std::atomic<bool> ended{false};
    options.insert(options.begin(), {"serve", "--model", model_, "--port", "0", "--port-file",
                                     port_file.string(), "-t", "2"});
    std::thread client([&] {
      while (!std::filesystem::exists(port_file)) {
        if (ended) return;  // before it listened
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      action(std::stoi(read_text(port_file)));
      write_text(done, "");
    });
    CommandResult result = interrupt_ferplus(options, done, signal_number);
    ended = true;
    client.join();
    return result;
  }

  TemporaryFolder folder_;
  const std::string model_ = folder_ / "model.safetensors";
  const std::string face_ = folder_ / "face.png";
};

TEST_F(ServeCommand, SaysWhatPredictSaysAndEndsWell) {
  const CommandResult predicted = run_ferplus({"predict", "--model", model_, face_, "--json"});
  const json expected = json::parse(predicted.out).at(0).at("predictions");
  HttpAnswer answer;
  const CommandResult served = serve({}, SIGTERM, [&](int port) {
    answer = http(port, "POST", "/predict", "", read_text(face_));
  });
  ASSERT_EQ(answer.status, 200) << answer.body << served.err;
  EXPECT_EQ(json::parse(answer.body).at("faces").at(0).at("predictions"), expected);
  EXPECT_EQ(served.exit_code, 0);
  EXPECT_EQ(served.out, "");
  EXPECT_THAT(served.err, AllOf(HasSubstr("listening on http://127.0.0.1:"),
                                HasSubstr("POST /predict 200"), HasSubstr("ending")));
}

TEST_F(ServeCommand, GivesAModelAwayIfAsked) {
  int status = 0;
  const auto ask = [&](int port) { status = http(port, "GET", "/api/get_model_files").status; };
  serve({}, SIGTERM, ask);
  EXPECT_EQ(status, 404);
  serve({"--share-model"}, SIGTERM, ask);
  EXPECT_EQ(status, 200);
}

TEST_F(ServeCommand, ThePortFileIsThereWhileItListens) {
  const auto port_file = folder_ / "port";
  write_text(folder_ / "own", "1");
  const CommandResult failed = run_ferplus(
      {"serve", "--model", model_, "--samples", folder_ / "none", "--port-file", folder_ / "own"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "own"));
  for (const char* content : {"", "precious\n", "80\n81\n", "123456\n", "1 2\n"}) {
    write_text(folder_ / "own", content);
    const CommandResult refused =
        run_ferplus({"serve", "--model", model_, "--port-file", folder_ / "own"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("does not hold a port"));
    EXPECT_EQ(read_text(folder_ / "own"), content);
  }
  std::filesystem::create_directory(folder_ / "folder");
  std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "link");
  ASSERT_EQ(::mkfifo(std::string(folder_ / "pipe").c_str(), 0600), 0);
  for (const char* name : {"folder", "link", "pipe"}) {
    const CommandResult refused =
        run_ferplus({"serve", "--model", model_, "--port-file", folder_ / name});
    EXPECT_THAT(refused.err, HasSubstr("does not hold a port"));
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::symlink_status(folder_ / name)));
  }
  bool was_there = false;
  serve({}, SIGTERM, [&](int) { was_there = std::filesystem::exists(port_file); });
  EXPECT_TRUE(was_there);
}

TEST_F(ServeCommand, IsQuietIfAsked) {
  const CommandResult served =
      serve({"--quiet"}, SIGINT, [](int port) { http(port, "GET", "/health"); });
  EXPECT_EQ(served.exit_code, 0);
  EXPECT_EQ(served.err, "");
}

TEST_F(ServeCommand, LogsNoControlCharacters) {
  const CommandResult served =
      serve({}, SIGTERM, [](int port) { http(port, "GET", "/%1b%5b2J%0aferplus:"); });
  EXPECT_THAT(served.err, HasSubstr("GET /?[2J?ferplus: 404"));
}

TEST_F(ServeCommand, SaysWhyItCannotListen) {
  CommandResult second;
  int taken = 0;
  serve({}, SIGTERM, [&](int port) {
    taken = port;
    second = run_ferplus({"serve", "--model", model_, "--port", std::to_string(port)});
  });
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err,
              AllOf(HasSubstr(std::to_string(taken)), HasSubstr("choose another port")));
  EXPECT_EQ(run_ferplus({"serve", "--model", model_, "--port", "70000"}).exit_code, 2);
  EXPECT_THAT(run_ferplus({"serve", "--model", model_, "--samples", folder_ / "none"}).err,
              HasSubstr("none"));
}

}  // namespace
}  // namespace ferplus
