#include "load_tls.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace signet::bench {
namespace {

constexpr const char* kSuite = "TLS_AES_128_GCM_SHA256";  // what most clients agree on
constexpr timeval kHandshakeTimeout{10, 0};
// Two full records at a time: a read of the socket for each record's head and body would make the
// generator the bottleneck.
constexpr std::size_t kReadAheadBytes = 36 * 1024;

SSL_CTX* make_context() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return nullptr;
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAheadBytes);
  const bool set = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_ciphersuites(context, kSuite) == 1;
  return set ? context : nullptr;
}

SSL_CTX* context() {
  static SSL_CTX* const made = make_context();  // for the life of the program
  return made;
}

std::optional<std::size_t> moved(SSL* ssl, int done, std::size_t count) {
  if (done == 1) return count;
  const int why = SSL_get_error(ssl, done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return 0;
  return std::nullopt;
}

}  // namespace

Result<LoadTls> LoadTls::shake_hands(int descriptor) {
  LoadTls tls(context() == nullptr ? nullptr : SSL_new(context()));
  (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kHandshakeTimeout,
                   sizeof kHandshakeTimeout);
  ERR_clear_error();
  if (tls.ssl_ == nullptr || SSL_set_fd(tls.ssl_.get(), descriptor) != 1 ||
      SSL_connect(tls.ssl_.get()) != 1) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    return Error{ErrorCode::kUnavailable,
                 std::string("TLS handshake: ") + (reason == nullptr ? "hung up" : reason)};
  }
  return tls;
}

std::optional<std::size_t> LoadTls::read(std::span<char> into) {
  std::size_t got = 0;
  ERR_clear_error();
  const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  return moved(ssl_.get(), done, got);
}

std::optional<std::size_t> LoadTls::write(std::string_view bytes) {
  std::size_t wrote = 0;
  ERR_clear_error();
  const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &wrote);
  return moved(ssl_.get(), done, wrote);
}

}  // namespace signet::bench
