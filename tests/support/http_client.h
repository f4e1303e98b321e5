// A client that sends bytes and takes what comes: requests may be wrong on purpose.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ferplus {

struct HttpAnswer {
  int status = 0;  // 0: the server closed the connection without one, or let it wait
  std::map<std::string, std::string> headers;  // names in small letters
  std::string body;
};

// A connection to this machine.
class HttpClient {
 public:
  // Waits this long for each answer.
  explicit HttpClient(int port, int milliseconds = 60'000)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{milliseconds / 1000, milliseconds % 1000 * 1000};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpClient() { ::close(socket_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool connected() const { return connected_; }

  // False if the server does not take it any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_of_input() { ::shutdown(socket_, SHUT_WR); }

  // The next answer; of one to HEAD, `with_body` is false.
  HttpAnswer receive(bool with_body = true) {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    HttpAnswer answer;
    answer.status = std::atoi(buffer_.substr(std::string_view("HTTP/1.1 ").size()).c_str());
    for (std::size_t line = buffer_.find("\r\n") + 2; line < end + 2;) {
      const std::size_t line_end = buffer_.find("\r\n", line), colon = buffer_.find(": ", line);
      std::string name = buffer_.substr(line, colon - line);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      answer.headers[name] = buffer_.substr(colon + 2, line_end - colon - 2);
      line = line_end + 2;
    }
    buffer_.erase(0, end + 4);
    const std::size_t length =
        with_body ? std::strtoull(answer.headers["content-length"].c_str(), nullptr, 10) : 0;
    while (buffer_.size() < length) {
      if (!read_more()) break;
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
  }

 private:
  bool read_more() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

inline std::string http_request(const std::string& method, const std::string& target,
                                const std::string& headers = "", const std::string& body = "") {
  std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost:1\r\n" + headers;
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return request + "\r\n" + body;
}

// The same, whose head does not say how long the body is.
inline std::string chunked_request(const std::string& target, const std::string& headers,
                                   const std::string& body) {
  std::ostringstream size;
  size << std::hex << body.size();
  return "POST " + target + " HTTP/1.1\r\nHost: localhost:1\r\nTransfer-Encoding: chunked\r\n" +
         headers + "\r\n" + size.str() + "\r\n" + body + "\r\n0\r\n\r\n";
}

// On a connection of its own.
inline HttpAnswer http(int port, const std::string& method, const std::string& target,
                       const std::string& headers = "", const std::string& body = "") {
  HttpClient client(port);
  EXPECT_TRUE(client.connected());
  client.send(http_request(method, target, headers, body));
  return client.receive(method != "HEAD");
}

inline constexpr const char* kFormHeader = "Content-Type: multipart/form-data; boundary=edge\r\n";

// One file of a form of that boundary; `end` closes the form.
inline std::string form_file(const std::string& field, const std::string& bytes,
                             const std::string& end = "--edge--\r\n") {
  return "--edge\r\nContent-Disposition: form-data; name=\"" + field +
         "\"; filename=\"face.png\"\r\nContent-Type: image/png\r\n\r\n" + bytes + "\r\n" + end;
}

}  // namespace ferplus
