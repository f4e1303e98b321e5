#include "serve/http_listen.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ferplus/core/error.h>

namespace ferplus::serve {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

// 0, or why not.
int try_to_listen(int descriptor, const addrinfo& address) {
  const int on = 1, off = 0;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) {  // "::" is IPv4's addresses as well
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  return bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && listen(descriptor, 128) == 0
             ? 0
             : errno;
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
  }
  return address.ss_family == AF_INET &&
         ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

ListeningSocket described(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  char port[NI_MAXSERV] = "0";
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, nullptr, 0, port, sizeof port,
              NI_NUMERICSERV);
  return {descriptor, std::stoi(port), is_loopback(address)};
}

}  // namespace

ListeningSocket listen_on(const std::string& host, int port) {
  const auto fail = [&](const std::string& reason) -> Error {
    return Error(concat("cannot listen on ", host, ", port ", port, ": ", reason));
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    throw fail(gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  int failure = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int descriptor =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (descriptor < 0) {
      failure = errno;
      continue;
    }
    failure = try_to_listen(descriptor, *address);
    if (failure == 0) return described(descriptor);
    close(descriptor);
  }
  throw fail(concat(std::strerror(failure), failure == EADDRINUSE ? "; choose another port" : ""));
}

}  // namespace ferplus::serve
