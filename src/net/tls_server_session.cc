#include "net/tls_server_session.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace signet::net {
namespace {

// A client renews its keys once in 2^24 records (RFC 8446 section 5.5). Each time costs as much as
// a hundred small records, so whoever does nothing else is not served.
constexpr int kMaxLateMessages = 256;
constexpr std::size_t kMaxNameBytes = 64;  // X.520 allows a common name no more

constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 35\r\n"
    "Connection: close\r\n\r\nthis port speaks TLS: use https://\n";

const char* reason_of(unsigned long openssl_error) {
  const char* reason = ERR_reason_error_string(openssl_error);
  return reason != nullptr ? reason : "";
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// Empty where there is none, more than one, or one that is not plain text.
std::string common_name_of(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return name.size() <= kMaxNameBytes && is_printable(name) ? name : std::string();
}

}  // namespace

std::unique_ptr<TlsServerSession> TlsServerSession::create(const TlsServerContext& context,
                                                           int descriptor, std::span<char> buffer) {
  std::unique_ptr<TlsServerSession> made(new TlsServerSession(descriptor, buffer));
  return made->prepare(context) ? std::move(made) : nullptr;
}

bool TlsServerSession::prepare(const TlsServerContext& context) {
  ERR_clear_error();
  socket_.received = std::string_view();
  ssl_.reset(context.new_ssl());
  BIO* bio = ssl_ != nullptr ? new_tls_bio(socket_) : nullptr;
  if (bio == nullptr) return false;
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  SSL_set_msg_callback(ssl_.get(), &on_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  return true;
}

TlsServerSession::~TlsServerSession() { end_writing(); }

void TlsServerSession::end_writing() {
  if (!established_ || failed_ || said_goodbye_) return;
  said_goodbye_ = true;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsServerSession::on_message(int is_written, int, int type, const void*, std::size_t, SSL*,
                                  void* self) {
  auto& session = *static_cast<TlsServerSession*>(self);
  if (is_written == 0 && type == SSL3_RT_HANDSHAKE && session.established_) {
    ++session.late_messages_;
  }
}

// ---- input

Moved TlsServerSession::read(std::span<char> into) {
  if (failed_) return {Transfer::kFailed};
  if (ended_) return {Transfer::kEnded};
  waits_to_write_ = false;
  const std::string before = std::exchange(kept_, {});
  socket_.received = before;
  if (before.empty()) receive(into.size());
  const std::size_t opened = established_ || shake_hands() ? open_records(into) : 0;
  kept_.assign(*socket_.received);
  socket_.received = std::string_view();
  if (opened > 0) return {Transfer::kMoved, opened};
  if (failed_) return {Transfer::kFailed};
  return {ended_ ? Transfer::kEnded : Transfer::kLater};
}

// No more than there is room for: what is sealed is longer than what it holds, so that nearly
// always all of it can be opened at once.
void TlsServerSession::receive(std::size_t at_most) {
  const std::span<char> room = buffer_.first(std::min(buffer_.size(), at_most));
  const ssize_t got = ::recv(socket_.descriptor, room.data(), room.size(), 0);
  if (got > 0) {
    socket_.received = std::string_view(room.data(), static_cast<std::size_t>(got));
  } else if (got == 0) {
    socket_.at_end = true;
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    socket_.error = errno;
    socket_.at_end = true;
  }
}

bool TlsServerSession::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    take_certificate();
    return true;
  }
  const int ssl_error = SSL_get_error(ssl_.get(), result);
  waits_to_write_ = ssl_error == SSL_ERROR_WANT_WRITE;
  if (!waits_to_write_ && ssl_error != SSL_ERROR_WANT_READ) fail_handshake(ssl_error);
  return false;
}

std::size_t TlsServerSession::open_records(std::span<char> into) {
  std::size_t opened = 0;
  while (opened < into.size()) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + opened, into.size() - opened, &got);
    if (late_messages_ > kMaxLateMessages) fail(TlsFault::kRecord, "too many key updates");
    if (failed_) break;
    opened += got;
    if (result == 1) continue;
    const int ssl_error = SSL_get_error(ssl_.get(), result);
    waits_to_write_ = ssl_error == SSL_ERROR_WANT_WRITE;
    ended_ = ssl_error == SSL_ERROR_ZERO_RETURN;
    if (waits_to_write_ || ended_ || ssl_error == SSL_ERROR_WANT_READ) break;
    const unsigned long why = ERR_peek_error();
    if (socket_.at_end || ssl_error == SSL_ERROR_SYSCALL) {
      fail({}, "cut off");
    } else {
      fail(TlsFault::kRecord, reason_of(why));
    }
  }
  return opened;
}

bool TlsServerSession::has_more() const {
  if (waits_to_write_) return false;
  return failed_ || ended_ || !kept_.empty() || (established_ && SSL_pending(ssl_.get()) > 0);
}

// ---- output

Moved TlsServerSession::write(std::string_view bytes) {
  std::size_t sealed = 0;
  while (sealed < bytes.size() && !failed_) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int result =
        SSL_write_ex(ssl_.get(), bytes.data() + sealed, bytes.size() - sealed, &sent);
    sealed += sent;
    if (result == 1) continue;
    const int ssl_error = SSL_get_error(ssl_.get(), result);
    if (ssl_error == SSL_ERROR_WANT_WRITE || ssl_error == SSL_ERROR_WANT_READ) break;
    fail({}, reason_of(ERR_peek_error()));
  }
  if (failed_) return {Transfer::kFailed};
  return {sealed > 0 ? Transfer::kMoved : Transfer::kLater, sealed};
}

// ---- the end

void TlsServerSession::fail(std::optional<TlsFault> fault, const char* detail) {
  failed_ = true;
  fault_ = fault;
  detail_ = detail;
  ERR_clear_error();
}

void TlsServerSession::fail_handshake(int ssl_error) {
  const unsigned long why = ERR_peek_last_error();
  if (ssl_error != SSL_ERROR_SSL || socket_.error != 0) {
    return fail(TlsFault::kHungUp, std::strerror(socket_.error));
  }
  if (ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == SSL_R_HTTP_REQUEST) {
    (void)::send(socket_.descriptor, kPlainAnswer.data(), kPlainAnswer.size(), MSG_NOSIGNAL);
  }
  const TlsFault fault = handshake_fault_of(why);
  const bool of_certificate = fault == TlsFault::kCertificate;
  fail(fault, of_certificate ? X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()))
                             : reason_of(why));
}

void TlsServerSession::take_certificate() {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return;
  certificate_name_ = common_name_of(certificate);
  unreadable_name_ = certificate_name_.empty();
  certificate_ends_ = end_of(certificate);
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl_.get());
  for (int at = 0; at < sk_X509_num(chain); ++at) {  // -1: there is none
    certificate_ends_ = std::min(certificate_ends_, end_of(sk_X509_value(chain, at)));
  }
}

}  // namespace signet::net
