// A certificate authority and TLS servers on 127.0.0.1 that a test plays, well or badly. They share
// no code with the client. For tests.
#pragma once

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/loopback_port_test.h"

namespace signet::net {

struct FreeOpenSsl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;

struct CertificateSpec {
  const char* names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName; null: none
  const char* common_name = "test";
  long from_s = -3'600;  // seconds from now
  long until_s = 3'600;
  const char* usage = "serverAuth";
  bool is_self_signed = false;
};

// A certificate that `issuer` signs with `issuer_key`, or that signs itself where these are null.
inline Certificate make_certificate(const CertificateSpec& spec, EVP_PKEY* key, X509* issuer,
                                    EVP_PKEY* issuer_key, bool is_authority = false) {
  static long serial = 0;
  Certificate made(X509_new());
  X509* raw = made.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(raw), spec.from_s);
  X509_gmtime_adj(X509_getm_notAfter(raw), spec.until_s);
  X509_set_pubkey(raw, key);
  X509_NAME* subject = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.common_name), -1, -1, 0);
  X509_set_issuer_name(raw, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
  const auto extend = [&](int id, const char* value) {
    if (value == nullptr) return;
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : raw, raw, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
    EXPECT_NE(extension, nullptr) << value;
    X509_add_ext(raw, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!is_authority) {
    extend(NID_subject_alt_name, spec.names);
    extend(NID_ext_key_usage, spec.usage);
  }
  EXPECT_GT(X509_sign(raw, issuer_key != nullptr ? issuer_key : key, EVP_sha256()), 0);
  return made;
}

// A file that is removed with it, holding a certificate.
class CertificateFile {
 public:
  explicit CertificateFile(X509* certificate) {
    const int descriptor = mkstemp(path_.data());
    EXPECT_GE(descriptor, 0);
    std::FILE* file = fdopen(descriptor, "w");
    EXPECT_EQ(PEM_write_X509(file, certificate), 1);
    std::fclose(file);
  }
  CertificateFile(const CertificateFile&) = delete;
  CertificateFile& operator=(const CertificateFile&) = delete;
  ~CertificateFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "signet-certificate-XXXXXX";
};

class TestAuthority {
 public:
  TestAuthority()
      : key_(EVP_EC_gen("P-256")),
        certificate_(make_certificate({.names = nullptr, .common_name = "authority"}, key_.get(),
                                      nullptr, nullptr, true)),
        file_(certificate_.get()) {}

  Certificate issue(const CertificateSpec& spec, EVP_PKEY* key) const {
    if (spec.is_self_signed) return make_certificate(spec, key, nullptr, nullptr);
    return make_certificate(spec, key, certificate_.get(), key_.get());
  }
  const std::string& ca_file() const { return file_.path(); }

 private:
  Key key_;
  Certificate certificate_;
  CertificateFile file_;
};

// One server for one connection, on a thread of its own that blocks for five seconds at most.
class OneShotServer {
 public:
  using Script = std::function<void(int descriptor)>;

  explicit OneShotServer(Script script)
      : thread_([this, script = std::move(script)] { serve(script); }) {}
  OneShotServer(const OneShotServer&) = delete;
  OneShotServer& operator=(const OneShotServer&) = delete;
  ~OneShotServer() {
    port_.end();  // nobody came: accept() ends
    thread_.join();
  }
  std::uint16_t port() const { return port_.number(); }

 private:
  void serve(const Script& script) const {
    // OpenSSL's own socket BIO raises it here; the client under test must not rely on this.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    const int peer = port_.accept();
    if (peer < 0) return;
    const timeval patience{5, 0};
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;  // what a script wrote is at the client
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    script(peer);
    close(peer);
  }

  const LoopbackPort port_;
  std::thread thread_;  // begins when the port is there
};

struct TlsServerSpec {
  CertificateSpec certificate = {};
  int oldest = TLS1_2_VERSION;
  int newest = TLS1_3_VERSION;
  bool says_goodbye = true;
};

// The server's side of one TLS connection, blocking.
class TlsConversation {
 public:
  explicit TlsConversation(SSL* ssl) : ssl_(ssl) {}
  SSL* ssl() { return ssl_; }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Exactly `size` bytes, or what came before the end.
  std::string read(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
      const int got = SSL_read(ssl_, bytes.data() + filled, static_cast<int>(size - filled));
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  }
  // Everything up to and with `mark`, byte by byte, or what came before the end.
  std::string read_to(std::string_view mark) {
    std::string bytes;
    while (!std::string_view(bytes).ends_with(mark)) {
      const std::string next = read(1);
      if (next.empty()) break;
      bytes += next;
    }
    return bytes;
  }

 private:
  SSL* ssl_;
};

using TlsScript = std::function<void(TlsConversation&)>;

inline void serve_tls(int descriptor, SSL_CTX* context, bool says_goodbye,
                      const TlsScript& script) {
  const std::unique_ptr<SSL, FreeOpenSsl> ssl(SSL_new(context));
  SSL_set_fd(ssl.get(), descriptor);
  ERR_clear_error();
  if (SSL_accept(ssl.get()) == 1) {
    TlsConversation conversation(ssl.get());
    script(conversation);
    if (says_goodbye) SSL_shutdown(ssl.get());
  }
  ERR_clear_error();
}

// Shakes hands as `spec` says, then plays `script`.
inline OneShotServer::Script tls_script(const TestAuthority& authority, const TlsServerSpec& spec,
                                        TlsScript script) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = authority.issue(spec.certificate, key.get());
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);  // so that it can be made to speak old versions
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  EXPECT_EQ(SSL_CTX_set_min_proto_version(context.get(), spec.oldest), 1);
  EXPECT_EQ(SSL_CTX_set_max_proto_version(context.get(), spec.newest), 1);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
  return [context, script = std::move(script), goodbye = spec.says_goodbye](int descriptor) {
    serve_tls(descriptor, context.get(), goodbye, script);
  };
}

}  // namespace signet::net
