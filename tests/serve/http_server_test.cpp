// A server and its clients.
#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/random.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/png.h>
#include <ferplus/nn/photograph.h>
#include <ferplus/serve/server.h>

#include "serve/http_fixture.h"
#include "serve/http_service.h"
#include "support/photograph.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(HttpServer, PredictSaysWhatThePredictorSays) {
  for (const Sample& sample : faces_.samples) {
    const ImageView image = faces_.image(sample);
    const HttpAnswer answer = ask("POST", "/predict", "", png_of(image));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    const auto found = nlohmann::ordered_json::parse(answer.body);
    EXPECT_EQ(found.at("status"), "ok");
    EXPECT_EQ(found.at("width"), 48);
    const auto expected = predict_faces(image, predictor_, nullptr);
    EXPECT_EQ(found.at("faces"), nlohmann::ordered_json({to_json(expected.front())}));
  }
}

TEST_F(HttpServer, FormsAndBodiesAreTheSame) {
  const json body = json::parse(ask("POST", "/predict", "", face_).body).at("faces");
  const json form =
      json::parse(ask("POST", "/predict", kFormHeader, form_file("file", face_)).body).at("faces");
  EXPECT_EQ(form, body);
  // Other fields do not matter, wherever they stand.
  const std::string crowded =
      form_file("other", "x", "") + form_file("file", face_, "") + form_file("more", "y");
  EXPECT_EQ(json::parse(ask("POST", "/predict", kFormHeader, crowded).body).at("faces"), body);
}

TEST_F(HttpServer, FormsThatAreNoneAreRefused) {
  const auto refused = [&](const std::string& headers, const std::string& body) {
    const HttpAnswer answer = ask("POST", "/predict", headers, body);
    EXPECT_EQ(answer.status, 400);
    return json::parse(answer.body).at("error").get<std::string>();
  };
  EXPECT_THAT(refused(kFormHeader, form_file("picture", face_)), HasSubstr("field 'file'"));
  EXPECT_THAT(refused("", ""), HasSubstr("no picture"));
  EXPECT_THAT(refused(kFormHeader, form_file("file", face_, "") + form_file("file", face_)),
              HasSubstr("one file"));
  EXPECT_THAT(refused(kFormHeader, form_file("file", face_).substr(0, face_.size())),
              HasSubstr("cut off"));
  EXPECT_THAT(refused("Content-Type: multipart/form-data\r\n", form_file("file", face_)),
              HasSubstr("boundary"));
  expect_alive();
}

TEST_F(HttpServer, PicturesThatAreNoneAreRefused) {
  const HttpAnswer text = ask("POST", "/predict", "", "not a picture");
  EXPECT_EQ(text.status, 400);
  EXPECT_THAT(text.body, HasSubstr("neither a PNG nor a JPEG"));
  const HttpAnswer cut = ask("POST", "/predict", "", face_.substr(0, face_.size() / 2));
  EXPECT_EQ(cut.status, 400);
  EXPECT_THAT(cut.body, HasSubstr("picture: "));
  const HttpAnswer modelhub = ask("POST", "/api/predict", kFormHeader, form_file("file", "GIF89a"));
  EXPECT_EQ(modelhub.status, 400);
  EXPECT_EQ(json::parse(modelhub.body), json({{"error", "Incorrect file type."}}));
  EXPECT_EQ(ask("POST", "/predict?detect=perhaps", "", face_).status, 400);
}

TEST_F(HttpServer, FindsTheFacesOfAPhotograph) {
  if (!detection_available()) {
    const HttpAnswer answer = ask("POST", "/predict?detect=1", "", face_);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("dlib"));
    return;
  }
  GrayImage photograph = gray_wall(700, 300);
  set_face(photograph, faces_, 0, 90, 60, 3);
  set_face(photograph, faces_, 1, 430, 60, 3);
  const ImageView image = photograph.view();
  options_.most_bytes = 1 << 20;
  const auto detector = make_face_detector();
  const auto expected = predict_faces(image, predictor_, detector.get());
  ASSERT_EQ(expected.size(), 2U);
  const auto found =
      nlohmann::ordered_json::parse(ask("POST", "/predict?detect=1", "", png_of(image)).body);
  ASSERT_EQ(found.at("faces").size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(found["faces"][i], to_json(expected[i]));
  EXPECT_EQ(json::parse(ask("POST", "/predict", "", png_of(image)).body).at("faces").size(), 1U);
  const HttpAnswer empty = ask("POST", "/predict?detect=1", "", png_of(gray_wall(90, 90).view()));
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(json::parse(empty.body).at("status"), "no_face");
}

TEST_F(HttpServer, ModelHubPredicts) {
  const HttpAnswer answer = ask("POST", "/api/predict", kFormHeader, form_file("file", face_));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json output = json::parse(answer.body);
  const Probabilities expected = predictor_.predict(faces_.image(faces_.samples.front()));
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(output["output"][0]["prediction"][k]["probability"], expected[k]);
  }
  EXPECT_EQ(output["model"], json({{"id", "0123"}, {"name", "ferplus vgg_mini"}}));
  const HttpAnswer url = ask("GET", "/api/predict?fileurl=http://127.0.0.1/");
  EXPECT_EQ(url.status, 400);
  EXPECT_THAT(url.body, HasSubstr("fetches no URLs"));
}

TEST_F(HttpServer, ModelHubsSamplesCanBeHadAndPredicted) {
  const json samples = json::parse(ask("GET", "/api/get_samples").body);
  ASSERT_EQ(samples.size(), 8U);
  EXPECT_EQ(samples[0], "http://localhost:1/api/samples/anger.png");
  const HttpAnswer picture = ask("GET", "/api/samples/anger.png");
  EXPECT_EQ(picture.headers.at("content-type"), "image/png");
  const json of_name = json::parse(ask("GET", "/api/predict_sample?filename=anger.png").body);
  const json of_picture =
      json::parse(ask("POST", "/api/predict", kFormHeader, form_file("file", picture.body)).body);
  EXPECT_EQ(of_name.at("output"), of_picture.at("output"));
  EXPECT_EQ(ask("GET", "/api/predict_sample?filename=nobody.png").status, 400);
  EXPECT_EQ(ask("GET", "/api/predict_sample").status, 400);
  for (const char* path :
       {"/api/samples/nobody.png", "/api/samples/../../etc/passwd",
        "/api/samples/..%2F..%2Fetc%2Fpasswd", "/api/samples/", "/api/samples"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
  // A Host that is none does not get into the answer.
  server_.reset();
  options_.host = "0.0.0.0";
  HttpClient client(server().port());
  client.send("GET /api/get_samples HTTP/1.1\r\nHost: a\"><script>\r\n\r\n");
  EXPECT_EQ(json::parse(client.receive().body)[0], "/api/samples/anger.png");
}

TEST_F(HttpServer, GivesTheModelsFilesAsAZip) {
  EXPECT_EQ(ask("GET", "/api/get_model_files").status, 404);
  const TemporaryFolder folder;
  write_text(folder / "mine.safetensors", "weights of mine");
  write_text(folder / "README.md", "card of mine");
  server_.reset();
  options_.model_file = folder / "mine.safetensors";
  const HttpAnswer first = ask("GET", "/api/get_model_files");
  EXPECT_EQ(first.headers.at("content-type"), "application/zip");
  EXPECT_THAT(first.body,
              AllOf(StartsWith("PK"), HasSubstr("weights of mine"), HasSubstr("card of mine"),
                    HasSubstr("\"bibtex\""), HasSubstr("model/mine.safetensors")));
  // Those of the model that serves, whatever becomes of the file.
  write_text(folder / "mine.safetensors", "weights of others");
  EXPECT_EQ(ask("GET", "/api/get_model_files").body, first.body);
  server_.reset();
  options_.model_file = folder / "gone.safetensors";
  EXPECT_THAT(message_of<Error>([&] { server(); }), HasSubstr("gone.safetensors"));
}

TEST_F(HttpServer, EveryRouteAnswersAndOthersAreRefused) {
  struct Expected {
    const char *method, *path;
    int status;
    const char* has;
  };
  const std::vector<Expected> expected = {
      {"GET", "/", 200, "<!DOCTYPE html>"},
      {"GET", "/page.css", 200, ".votes"},
      {"GET", "/page.js", 200, "predict?detect="},
      {"GET", "/health", 200, "\"uptime_seconds\""},
      {"POST", "/predict", 400, "no picture"},
      {"GET", "/api/get_config", 200, "\"bibtex\""},
      {"GET", "/api/get_legal", 200, "\"model_license\""},
      {"GET", "/api/get_model_io", 200, "{\"input\":{\"format\""},
      {"GET", "/api/get_model_files", 404, "does not give"},
      {"GET", "/api/get_samples", 200, "surprise.png"},
      {"GET", "/api/samples/fear.png", 200, "PNG"},
      {"GET", "/api/thumbnail/thumbnail.png", 200, "PNG"},
      {"GET", "/api/predict_sample?filename=fear.png", 200, "\"label_list\""},
      {"GET", "/api/predict", 400, "with POST"},
      {"POST", "/api/predict", 400, "no picture"},
  };
  EXPECT_EQ(expected.size(), serve::Service::routes().size());
  for (const Expected& route : expected) {
    const HttpAnswer answer = ask(route.method, route.path);
    EXPECT_EQ(answer.status, route.status) << route.path;
    EXPECT_THAT(answer.body, HasSubstr(route.has)) << route.path;
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << route.path;
    EXPECT_EQ(answer.status >= 400, answer.body.starts_with("{\"error\":")) << route.path;
  }
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  const HttpAnswer wrong = ask("DELETE", "/predict");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("GET", "/predict").status, 405);
  EXPECT_EQ(ask("PUT", "/api/predict").headers.at("allow"), "GET, HEAD, POST, OPTIONS");
  const HttpAnswer head = ask("HEAD", "/health");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpServer, OtherOriginsReadWhatTheyAreAllowedTo) {
  EXPECT_FALSE(ask("GET", "/health").headers.contains("access-control-allow-origin"));
  EXPECT_FALSE(ask("OPTIONS", "/predict").headers.contains("access-control-allow-methods"));
  server_.reset();
  options_.allowed_origin = "https://example.org";
  const HttpAnswer answer = ask("POST", "/predict", "", "no picture");
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://example.org");
  const HttpAnswer asked = ask("OPTIONS", "/predict");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.headers.at("access-control-allow-methods"), "POST, OPTIONS");
}

TEST_F(HttpServer, AConnectionServesManyRequests) {
  HttpClient client(server().port());
  std::string first;
  for (int i = 0; i < 20; ++i) {
    client.send(http_request("POST", "/predict", "", face_));
    const HttpAnswer answer = client.receive();
    ASSERT_EQ(answer.status, 200);
    const std::string faces = json::parse(answer.body).at("faces").dump();
    if (first.empty()) first = faces;
    EXPECT_EQ(faces, first);
  }
}

TEST_F(HttpServer, ManyClientsGetTheSameBitsAsOne) {
  std::vector<std::string> pictures, expected;
  for (const Sample& sample : faces_.samples) {
    pictures.push_back(png_of(faces_.image(sample)));
    expected.push_back(
        json::parse(ask("POST", "/predict", "", pictures.back()).body)["faces"].dump());
  }
  std::vector<std::thread> clients;
  for (std::size_t k = 0; k < 8; ++k) {
    clients.emplace_back([&, k] {
      for (std::size_t i = 0; i < pictures.size(); ++i) {
        const std::size_t which = (i + k) % pictures.size();
        const HttpAnswer answer = http(server_->port(), "POST", "/predict", "", pictures[which]);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(json::parse(answer.body)["faces"].dump(), expected[which]);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  const json health = json::parse(ask("GET", "/health").body);
  EXPECT_EQ(health["faces"], 9 * pictures.size());
  EXPECT_EQ(health["answered"]["2xx"], 9 * pictures.size());
  EXPECT_EQ(health["waiting"], 0);
}

TEST_F(HttpServer, TellsTheLogOfThoseWhoLeft) {
  const TemporaryFolder folder;
  options_.model_file = folder / "large";  // more than sockets hold
  write_text(options_.model_file, std::string(std::size_t{40} << 20, 'x'));
  std::vector<ServedRequest> served;
  options_.log = [&](const ServedRequest& request) {
    served.push_back(request);
    throw Error("dropped");
  };
  {
    HttpClient client(server().port());
    client.send("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf");
    EXPECT_EQ(ask("GET", "/health").status, 200);
  }
  {
    HttpClient client(server().port());
    client.send(http_request("GET", "/api/get_model_files"));
    EXPECT_EQ(ask("GET", "/health").status, 200);
  }
  server().stop();
  ASSERT_EQ(served.size(), 4U);
  for (const ServedRequest& request : served) {
    EXPECT_EQ(request.status, request.path == "/health" ? 200 : 0) << request.path;
  }
}

TEST_F(HttpServer, TellsTheLogOfEachRequest) {
  std::vector<ServedRequest> served;
  options_.log = [&](const ServedRequest& request) { served.push_back(request); };
  ask("POST", "/predict?detect=0&name=secret", "", face_);
  ask("GET", "/nothing");
  server().stop();
  ASSERT_EQ(served.size(), 2U);
  EXPECT_EQ(served[0].method + served[0].path, "POST/predict");
  EXPECT_EQ(served[0].status, 200);
  EXPECT_EQ(served[0].received, face_.size());
  EXPECT_GT(served[0].seconds, 0);
  EXPECT_EQ(served[1].status, 404);
}

TEST_F(HttpServer, RefusesAModelThatAnswersNothing) {
  Model model = small_model();
  std::ranges::fill(model.parameters.values(), 1e30F);
  const Predictor predictor(std::move(model));
  EXPECT_THAT(message_of<Error>([&] { Server(predictor, options_); }),
              testing::HasSubstr("is no number"));
}

TEST_F(HttpServer, RefusesOptionsOutOfRange) {
  options_.port = 65536;
  EXPECT_THAT(message_of<UsageError>([&] { server(); }), HasSubstr("65536"));
  options_.port = 0;
  options_.workers = 0;
  EXPECT_THAT(message_of<UsageError>([&] { server(); }), HasSubstr("0 workers"));
  options_.workers = 1;
  for (const char* origin : {"example.org", "https://example.org/", "https://a\r\nb"}) {
    options_.allowed_origin = origin;
    EXPECT_THAT(message_of<UsageError>([&] { server(); }), HasSubstr("is no origin")) << origin;
  }
  options_.allowed_origin = "*";
  for (const char* url : {"example.org", "https://", "ftp://example.org", "http:///faces"}) {
    options_.url = url;
    EXPECT_THAT(message_of<UsageError>([&] { server(); }), HasSubstr("is no URL")) << url;
  }
  options_.url = "";
  options_.most_bytes = 0;
  EXPECT_THAT(message_of<UsageError>([&] { server(); }), HasSubstr("0 bytes"));
}

}  // namespace
}  // namespace ferplus
