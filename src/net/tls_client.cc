#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <utility>

#include "net/tls_reason.h"

namespace signet::net {
namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA of 2,048 bits, no SHA-1
// Forward secret and authenticated; what is left of TLS 1.2 after its known attacks.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr int kMaxDrops = 16;  // 64 KiB: more than a server says unasked, and no work to close
constexpr std::size_t kMaxNameBytes = 256;  // of a subject that is shown; a peer chose it

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The dot that ends an absolute name is DNS's, certificates do not carry it (RFC 6066 section 3).
std::string without_last_dot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

bool set_roots(SSL_CTX* context, const std::string& ca_file) {
  if (ca_file.empty()) return SSL_CTX_set_default_verify_paths(context) == 1;
  return SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
}

bool set_protocol(SSL_CTX* context, bool allow_tls12) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  // A write that was put off may come again from a buffer that has grown and moved.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Otherwise one read could go on for as long as the peer sends records without data.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const int oldest = allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  return SSL_CTX_set_min_proto_version(context, oldest) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1;
}

// Escaped to printable ASCII by XN_FLAG_RFC2253.
std::string text_of_name(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  if (size <= 0) return {};
  return {text, std::min(static_cast<std::size_t>(size), kMaxNameBytes)};
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  return {static_cast<std::int64_t>(timegm(&broken_down)) * 1'000};
}

// Closing a socket with bytes unread resets the connection, and what was written but not yet sent
// is lost. A caller who only writes can't prevent that: session tickets come unasked.
void drop_unread(int descriptor) {
  std::array<char, 4'096> dropped;
  for (int i = 0; i < kMaxDrops; ++i) {
    if (recv(descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace

Result<std::unique_ptr<TlsClient>> TlsClient::create(int descriptor, const std::string& host,
                                                     const TlsOptions& options) {
  const std::string& name = options.server_name.empty() ? host : options.server_name;
  std::unique_ptr<TlsClient> made(new TlsClient(descriptor, without_last_dot(name)));
  SIGNET_TRY([[maybe_unused]] const Done prepared, made->prepare(options));
  SIGNET_TRY([[maybe_unused]] const Done named, made->demand_name());
  return made;
}

TlsClient::TlsClient(int descriptor, std::string name)
    : name_(std::move(name)), read_waits_for_(POLLIN), write_waits_for_(POLLOUT) {
  socket_.descriptor = descriptor;
}

TlsClient::~TlsClient() {
  if (!is_open_) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
  drop_unread(socket_.descriptor);
}

Status TlsClient::prepare(const TlsOptions& options) {
  ERR_clear_error();
  const Error out_of_memory{ErrorCode::kUnavailable, "TLS could not be set up"};
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || !set_protocol(context.get(), options.allow_tls12)) return out_of_memory;
  if (!set_roots(context.get(), options.ca_file)) {
    return Error{ErrorCode::kNotFound, "no certificates could be read from ca_file"};
  }
  ssl_.reset(SSL_new(context.get()));
  BIO* bio = ssl_ != nullptr ? new_tls_bio(socket_) : nullptr;
  if (bio == nullptr) return out_of_memory;
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  return Done{};
}

// Without a name OpenSSL would verify the chain only, and any server's certificate would do.
Status TlsClient::demand_name() {
  if (name_.empty()) return Error{ErrorCode::kMalformed, "no server name to verify"};
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  bool is_set = false;
  if (is_address(name_)) {
    is_set = X509_VERIFY_PARAM_set1_ip_asc(wanted, name_.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    is_set = X509_VERIFY_PARAM_set1_host(wanted, name_.data(), name_.size()) == 1 &&
             SSL_set_tlsext_host_name(ssl_.get(), name_.c_str()) == 1;
  }
  if (!is_set) return Error{ErrorCode::kMalformed, "no server name to verify"};
  return Done{};
}

Result<bool> TlsClient::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    is_open_ = true;
    read_waits_for_ = POLLIN;
    return true;
  }
  const int ssl_error = SSL_get_error(ssl_.get(), result);
  if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
    read_waits_for_ = ssl_error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return false;
  }
  if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    return Error{ErrorCode::kUnauthorized, certificate_fault(verdict, name_)};
  }
  if (ssl_error == SSL_ERROR_SSL) return handshake_fault(ERR_peek_error());
  return broken(ssl_error);
}

Result<Transfer> TlsClient::read_some(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  read_waits_for_ = POLLIN;
  return result == 1 ? Transfer::moved(got) : outcome(result, read_waits_for_);
}

Result<Transfer> TlsClient::write_some(std::string_view bytes) {
  ERR_clear_error();
  std::size_t sent = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
  write_waits_for_ = POLLOUT;
  if (result == 1) return Transfer::moved(sent);
  SIGNET_TRY(const Transfer refused, outcome(result, write_waits_for_));
  if (refused.has_ended()) return Error{ErrorCode::kUnavailable, "the server ended the stream"};
  return refused;
}

Result<Transfer> TlsClient::outcome(int result, short& waits_for) {
  const int ssl_error = SSL_get_error(ssl_.get(), result);
  if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
    waits_for = ssl_error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return Transfer::would_block();
  }
  if (ssl_error == SSL_ERROR_ZERO_RETURN) return Transfer::ended();
  return broken(ssl_error);
}

Error TlsClient::broken(int ssl_error) {
  is_open_ = false;
  if (ssl_error == SSL_ERROR_SYSCALL && socket_.error != 0) {
    return {ErrorCode::kUnavailable, std::strerror(socket_.error)};
  }
  const unsigned long openssl_error = ERR_peek_error();
  if (socket_.at_end || ERR_GET_REASON(openssl_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return {ErrorCode::kUnavailable, "the TLS stream was cut off: it ended without a goodbye"};
  }
  // In TLS 1.3 a server looks at the client's certificate when the client's handshake is over.
  if (ERR_GET_REASON(openssl_error) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) {
    return {ErrorCode::kForbidden, "the server wants a client certificate, and none is shown"};
  }
  const char* reason = ERR_reason_error_string(openssl_error);
  return {ErrorCode::kUnavailable, std::string("TLS: ") + (reason != nullptr ? reason : "broken")};
}

short TlsClient::events(bool to_read, bool to_write) const {
  return static_cast<short>((to_read ? read_waits_for_ : 0) | (to_write ? write_waits_for_ : 0));
}

bool TlsClient::has_buffered() const { return SSL_pending(ssl_.get()) > 0; }

TlsFacts TlsClient::facts() const {
  TlsFacts facts{SSL_get_version(ssl_.get()), SSL_get_cipher_name(ssl_.get()), {}, {}, {}};
  const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_.get()),
                                                         &X509_free);
  if (peer == nullptr) return facts;
  facts.subject = text_of_name(X509_get_subject_name(peer.get()));
  facts.issuer = text_of_name(X509_get_issuer_name(peer.get()));
  facts.not_after = time_of(X509_get0_notAfter(peer.get()));
  return facts;
}

}  // namespace signet::net
