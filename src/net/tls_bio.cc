#include "net/tls_bio.h"

#include <sys/socket.h>

#include <cerrno>

namespace signet::net {
namespace {

TlsBioSocket& socket_of(BIO* bio) { return *static_cast<TlsBioSocket*>(BIO_get_data(bio)); }

// Tells a wait from a broken connection; what send() and recv() said is returned for OpenSSL.
int answer(BIO* bio, ssize_t moved, int retry_flag) {
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
  } else if (moved < 0) {
    socket_of(bio).error = errno;
  }
  return static_cast<int>(moved);  // at most the int that was asked for
}

int write_bytes(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      send(socket_of(bio).descriptor, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  return answer(bio, sent, BIO_FLAGS_WRITE);
}

int take_received(BIO* bio, char* into, std::size_t size) {
  TlsBioSocket& socket = socket_of(bio);
  const std::size_t taken = socket.received->copy(into, size);
  socket.received->remove_prefix(taken);
  if (taken == 0 && !socket.at_end) BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
  return taken > 0 || socket.at_end ? static_cast<int>(taken) : -1;
}

int read_bytes(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  if (socket_of(bio).received) return take_received(bio, into, static_cast<std::size_t>(size));
  const ssize_t got = recv(socket_of(bio).descriptor, into, static_cast<std::size_t>(size), 0);
  if (got == 0) socket_of(bio).at_end = true;
  return answer(bio, got, BIO_FLAGS_READ);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return socket_of(bio).at_end ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is held back, so a flush is done
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "signet");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, &write_bytes);
    BIO_meth_set_read(made, &read_bytes);
    BIO_meth_set_ctrl(made, &control);
    return made;
  }();
  return kMethod;
}

}  // namespace

BIO* new_tls_bio(TlsBioSocket& socket) {
  const BIO_METHOD* how = method();
  BIO* bio = how != nullptr ? BIO_new(how) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace signet::net
