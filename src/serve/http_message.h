// A request and its answer, whoever carries them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ferplus::serve {

struct Request {
  std::string method, path;                  // unescaped
  std::map<std::string, std::string> query;  // unescaped
  std::string host;                          // of the header of that name
  std::vector<std::byte> picture;            // the body, or the field "file" of a form
};

struct Response {
  int status = 200;
  std::string type;                         // media type of the body
  std::shared_ptr<const std::string> body;  // shared: large ones are sent more than once
  std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace ferplus::serve
