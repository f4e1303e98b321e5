// A server of a small network, and clients that ask it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/data/synth.h>
#include <ferplus/io/png.h>
#include <ferplus/serve/server.h>

#include "serve/small_model.h"
#include "support/http_client.h"

namespace ferplus {

inline std::string png_of(ImageView image) {
  const std::vector<char> png = encode_png(image.pixels, image.width, image.height, "test");
  return {png.begin(), png.end()};
}

class HttpServer : public testing::Test {
 protected:
  HttpServer() {
    options_.port = 0;
    options_.workers = 2;
    options_.most_bytes = 100'000;
  }

  Server& server() {
    if (!server_) server_ = std::make_unique<Server>(predictor_, options_);
    return *server_;
  }
  HttpAnswer ask(const std::string& method, const std::string& target,
                 const std::string& headers = "", const std::string& body = "") {
    return http(server().port(), method, target, headers, body);
  }
  // That the server still does what it is there for.
  void expect_alive() {
    const HttpAnswer answer = ask("POST", "/predict", "", face_);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("status"), "ok");
  }

  const Dataset faces_ = synthesize({.count = 20});
  const std::string face_ = png_of(faces_.image(faces_.samples.front()));
  Predictor predictor_{small_model()};
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

}  // namespace ferplus
