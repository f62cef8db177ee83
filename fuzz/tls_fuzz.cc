// A client's bytes on their way into TLS of the server's side. Bytes that are no handshake, and a
// handshake of which some bytes are others, establish nothing and open nothing; what a client sent
// is what is read, however it is cut; records of which a bit is another are never read; and read()
// comes to an end.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls_server_session.h"

namespace {

using namespace signet::net;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Client = std::unique_ptr<SSL, Free>;

void write_file(const std::string& path, const auto& write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  check(file != nullptr && fchmod(fileno(file), 0600) == 0);
  write(file);
  std::fclose(file);
}

std::shared_ptr<const TlsServerContext> make_context() {
  std::string folder = "/tmp/signet-tls-fuzz-XXXXXX";
  check(mkdtemp(folder.data()) != nullptr);
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 1'000'000);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  TlsServerOptions options;
  options.certificate = folder + "/cert.pem";
  options.key = folder + "/key.pem";
  options.client_ca = options.certificate;
  options.allow_tls12 = true;
  write_file(options.certificate, [&](std::FILE* file) { PEM_write_X509(file, certificate); });
  write_file(options.key, [&](std::FILE* file) {
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  auto loaded = TlsServerContext::load(options);
  check(loaded.ok());
  unlink(options.certificate.c_str());
  unlink(options.key.c_str());
  rmdir(folder.c_str());
  X509_free(certificate);
  EVP_PKEY_free(key);
  return *loaded;
}

// A session and the other end of its socket.
class Server {
 public:
  Server() {
    static const auto kContext = make_context();
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0);
    session_ = TlsServerSession::create(*kContext, ends_[0], buffer_);
    check(session_ != nullptr);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    session_.reset();
    for (const int end : ends_) close(end);
  }

  // Sends `bytes` to the session and reads until it has no more.
  void take(std::string_view bytes) {
    while (!bytes.empty() && !is_over_) {
      const ssize_t sent = send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      read();
    }
    read();
  }
  // What it answered.
  std::string answer() const {
    std::string bytes(1 << 17, '\0');
    const ssize_t got = recv(ends_[1], bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  const TlsServerSession& session() const { return *session_; }
  const std::string& opened() const { return opened_; }

 private:
  void read() {
    static std::array<char, 128 * 1024> into;
    for (int i = 0; !is_over_; ++i) {
      check(i < 1'000);
      const Moved got = session_->read(into);
      check(got.bytes == 0 || session_->is_established());
      opened_.append(into.data(), got.bytes);
      is_over_ = got.outcome == Transfer::kFailed || got.outcome == Transfer::kEnded;
      if (got.outcome == Transfer::kLater && !session_->has_more()) return;
    }
  }

  static inline std::array<char, kTlsReceiveBytes> buffer_;
  std::array<int, 2> ends_{-1, -1};
  std::unique_ptr<TlsServerSession> session_;
  std::string opened_;
  bool is_over_ = false;
};

Client new_client() {
  static SSL_CTX* const kContext = SSL_CTX_new(TLS_client_method());
  Client client(SSL_new(kContext));
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  return client;
}

std::string flight_of(SSL* client) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(client), &bytes);
  std::string flight(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(client));
  return flight;
}

void shake_hands(SSL* client, Server& server) {
  for (int i = 0; i < 4; ++i) {
    const int done = SSL_do_handshake(client);
    server.take(flight_of(client));
    if (done == 1) break;
    const std::string answer = server.answer();
    BIO_write(SSL_get_rbio(client), answer.data(), static_cast<int>(answer.size()));
  }
  check(server.session().is_established());
}

// Pairs of a place and what is laid over it; true when something is another than before.
bool change(std::string& bytes, std::string_view pairs) {
  const std::string before = bytes;
  for (; pairs.size() >= 3 && !bytes.empty(); pairs.remove_prefix(3)) {
    const auto high = static_cast<unsigned char>(pairs[0]);
    const auto low = static_cast<unsigned char>(pairs[1]);
    char& byte = bytes[(high * 256u + low) % bytes.size()];
    byte = static_cast<char>(byte ^ pairs[2]);
  }
  return bytes != before;
}

void take_stranger(std::string_view bytes) {
  Server server;
  server.take(bytes);
  check(!server.session().is_established());
}

void take_changed_hello(std::string_view pairs) {
  const Client client = new_client();
  Server server;
  SSL_do_handshake(client.get());
  std::string hello = flight_of(client.get());
  change(hello, pairs);
  server.take(hello);
  check(!server.session().is_established());  // its second flight never came
}

void take_cut(std::string_view text, std::size_t piece) {
  const Client client = new_client();
  Server server;
  shake_hands(client.get(), server);
  if (text.empty()) return;
  for (std::size_t at = 0; at < text.size(); at += piece * 7) {
    const std::string_view part = text.substr(at, piece * 7);
    SSL_write(client.get(), part.data(), static_cast<int>(part.size()));
  }
  const std::string records = flight_of(client.get());
  for (std::size_t at = 0; at < records.size(); at += piece) server.take(records.substr(at, piece));
  check(server.opened() == text);
}

void take_changed_records(std::string_view pairs) {
  const Client client = new_client();
  Server server;
  shake_hands(client.get(), server);
  SSL_write(client.get(), "a message", 9);
  std::string record = flight_of(client.get());
  const bool is_changed = change(record, pairs);
  server.take(record);
  check(server.opened() == (is_changed ? "" : "a message"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size < 2) return 0;
  const std::string_view rest = input.substr(2);
  switch (data[0] % 4) {
    case 0:
      take_stranger(rest);
      break;
    case 1:
      take_changed_hello(rest);
      break;
    case 2:
      take_cut(rest, data[1] % 64u + 1);
      break;
    default:
      take_changed_records(rest);
  }
  return 0;
}
