// In place of the http_*.cpp files where the build has no libmicrohttpd or no libzip.
#include <ferplus/core/error.h>
#include <ferplus/serve/server.h>

namespace ferplus {

class Server::Implementation {};

bool serving_available() { return false; }
Server::Server(const Predictor&, ServerOptions) {
  throw Error(
      "this ferplus was built without HTTP: install libmicrohttpd-dev and libzip-dev and build "
      "again");
}
Server::~Server() = default;
int Server::port() const { return 0; }
std::string Server::url() const { return {}; }
void Server::stop() {}

}  // namespace ferplus
