// TlsServer is a network of this module that speaks TLS, with files that a test writes, and TlsPeer
// a client of OpenSSL's own whose every byte a test sees. For tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/loopback_test.h"
#include "net/tls_server_test.h"

namespace signet::net {

inline Key new_key() { return Key(EVP_EC_gen("P-256")); }

inline std::string pem_of(const std::function<void(BIO*)>& write) {
  BIO* memory = BIO_new(BIO_s_mem());
  write(memory);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

inline std::string pem_of(X509* certificate) {
  return pem_of([&](BIO* memory) { PEM_write_bio_X509(memory, certificate); });
}

inline std::string pem_of(EVP_PKEY* key, const std::string& password = {}) {
  const EVP_CIPHER* lock = password.empty() ? nullptr : EVP_aes_128_cbc();
  const auto* bytes = reinterpret_cast<const unsigned char*>(password.data());
  const int size = static_cast<int>(password.size());
  return pem_of([&](BIO* memory) {
    PEM_write_bio_PrivateKey(memory, key, lock, bytes, size, nullptr, nullptr);
  });
}

// A folder with the files of a server, and its authority.
class TlsFiles {
 public:
  TlsFiles() {
    std::string name = ::testing::TempDir() + "signet-tls-XXXXXX";
    folder_ = mkdtemp(name.data());
    renew();
  }
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  ~TlsFiles() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path(name)) << text;
    chmod(path(name).c_str(), mode);
    return path(name);
  }
  void renew(const CertificateSpec& spec = {}) {
    key = new_key();
    certificate = authority.issue(spec, key.get());
    write("cert.pem", pem_of(certificate.get()), 0644);
    write("key.pem", pem_of(key.get()));
  }
  long serial() const { return ASN1_INTEGER_get(X509_get_serialNumber(certificate.get())); }
  TlsServerOptions options() const {
    TlsServerOptions options;
    options.certificate = path("cert.pem");
    options.key = path("key.pem");
    return options;
  }

  TestAuthority authority;
  Key key;
  Certificate certificate;

 private:
  std::filesystem::path folder_;
};

struct ClientSpec {
  int oldest = TLS1_3_VERSION;
  int newest = TLS1_3_VERSION;
  std::string protocols = {};  // ALPN, each with its length before it
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

// TlsPeer is OpenSSL over memory, so that a test decides which bytes go when.
class TlsPeer {
 public:
  explicit TlsPeer(const PeerAddress& to, const ClientSpec& spec = {})
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_.get(), spec.oldest);
    SSL_CTX_set_max_proto_version(context_.get(), spec.newest);
    if (spec.certificate != nullptr) {
      SSL_CTX_use_certificate(context_.get(), spec.certificate);
      SSL_CTX_use_PrivateKey(context_.get(), spec.key);
    }
    ssl_.reset(SSL_new(context_.get()));
    const auto* protocols = reinterpret_cast<const unsigned char*>(spec.protocols.data());
    SSL_set_alpn_protos(ssl_.get(), protocols, static_cast<unsigned>(spec.protocols.size()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    EXPECT_TRUE(wire.connect(to));
  }

  // True when the client is done: whether the server believes it shows in what comes next.
  bool shake_hands() {
    while (true) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      const bool must_wait = SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ;
      if (!push() || done == 1) return done == 1;
      if (!must_wait || !pull()) return false;
    }
  }
  bool write(std::string_view bytes) {
    seal(bytes);
    return push();
  }
  // Makes records that are sent with the next push(), or taken with flight().
  void seal(std::string_view bytes) {
    ERR_clear_error();
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  // Up to and with `end`, or what came before the connection ended.
  std::string read_until(std::string_view end) {
    std::size_t at;
    while ((at = read_.find(end)) == std::string::npos && read_some()) {
    }
    return take(at == std::string::npos ? read_.size() : at + end.size());
  }
  std::string read(std::size_t bytes) {
    while (read_.size() < bytes && read_some()) {
    }
    return take(bytes);
  }
  // The head of the answer, and of its body what names the target; empty when none came.
  std::string get(const std::string& target) {
    if (!write("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")) return {};
    return read_until("GET " + target);
  }
  bool open_websocket() {
    return write(Peer::handshake()) && read_until("\r\n\r\n").find(" 101 ") != std::string::npos;
  }
  // Reads to the end; true when the server said goodbye before it.
  bool ended_orderly() {
    while (read_some()) {
    }
    return last_error_ == SSL_ERROR_ZERO_RETURN;
  }

  // What OpenSSL wants to send.
  std::string flight() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string flight(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(out_);
    return flight;
  }
  bool push() { return wire.send(flight()); }
  bool pull() {
    const std::string bytes = wire.take_some();
    if (bytes.empty()) return false;
    return BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  long serial() const {
    X509* shown = SSL_get0_peer_certificate(ssl_.get());
    return shown != nullptr ? ASN1_INTEGER_get(X509_get_serialNumber(shown)) : 0;
  }
  SSL* ssl() { return ssl_.get(); }

  Peer wire;

 private:
  bool read_some() {
    char buffer[16'384];
    while (true) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (got > 0) {
        read_.append(buffer, static_cast<std::size_t>(got));
        return true;
      }
      last_error_ = SSL_get_error(ssl_.get(), got);
      if (last_error_ != SSL_ERROR_WANT_READ || !pull()) return false;
    }
  }
  std::string take(std::size_t bytes) {
    std::string taken = read_.substr(0, bytes);
    read_.erase(0, taken.size());
    return taken;
  }

  std::unique_ptr<SSL_CTX, FreeOpenSsl> context_;
  std::unique_ptr<SSL, FreeOpenSsl> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string read_;
  int last_error_ = SSL_ERROR_NONE;
};

class TlsServer : public Loopback {
 protected:
  TlsServer() { options.tls = files.options(); }

  std::int64_t failures(const std::string& reason) {
    return metric("signet_tls_failures_total", "reason=\"" + reason + "\"");
  }
  bool counts(const std::string& reason, std::int64_t times = 1) {
    return eventually([&] { return failures(reason) == times; });
  }
  // That the owners were told of.
  int bad_certificates() const {
    int told = 0;
    for (const auto& owner : owners) told += owner->bad_certificates;
    return told;
  }
  void restart() {
    network.reset();
    owners.clear();
    start();
  }
  // Answers with whom the certificate names.
  void tell_names() {
    prepare = [](Owner& owner) {
      owner.request = [](Connection& connection, const HttpRequest&) {
        const std::string name(connection.certificate_name());
        connection.respond({200, "text/plain", {}, "[" + name + "]"});
      };
    };
  }
  // What a client with this certificate is called; empty when it is refused.
  std::string name_of_client(X509* certificate, EVP_PKEY* key) {
    TlsPeer peer(address, {.certificate = certificate, .key = key});
    if (!peer.shake_hands()) return {};
    peer.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = peer.read_until("]");
    return answer.substr(std::min(answer.find('['), answer.size()));
  }

  TlsFiles files;
};

}  // namespace signet::net
