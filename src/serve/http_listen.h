// The socket that a server listens on.
#pragma once

#include <string>

namespace ferplus::serve {

struct ListeningSocket {
  int descriptor;  // of the caller from now on
  int port;
  bool loopback;  // reached from this machine alone
};

// TCP on `host`, a name or an address; port 0 takes one that is free. Throws Error that names both.
ListeningSocket listen_on(const std::string& host, int port);

}  // namespace ferplus::serve
