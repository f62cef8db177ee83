#include "net/tls_server_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include <ctime>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/private_file.h"

namespace signet::net {
namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA of 2,048 bits, no SHA-1
constexpr const char* kGroups = "X25519:P-256";
// Forward secret and authenticated; what is left of TLS 1.2 after its known attacks.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kApplication = "http/1.1";
constexpr int kMaxDepth = 4;                      // authorities above a client's certificate
constexpr long kMaxClientChainBytes = 32 * 1024;  // of what a client shows: far above five of them
constexpr std::size_t kMaxKeyBytes = 64 * 1024;   // RSA of 16,384 bits is 13 KiB
constexpr std::size_t kMaxCertificateBytes =
    1024 * 1024;  // a file of all public authorities is 250

template <auto Function>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<&BIO_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;

struct Wiped {
  std::string text;
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { explicit_bzero(text.data(), text.size()); }
};

Error malformed(const std::string& path, const std::string& why) {
  return {ErrorCode::kMalformed, path + ": " + why};
}

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "no reason is known";
}

// Nobody is there who could be asked for a password.
int no_password(char*, int, int, void*) { return -1; }

Bio memory_of(std::string_view bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Result<std::string> read_public(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, path + ": cannot be opened"};
  std::string bytes(kMaxCertificateBytes + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) return Error{ErrorCode::kForbidden, path + ": cannot be read"};
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kMaxCertificateBytes) return malformed(path, "is over 1 MiB");
  return bytes;
}

// At least one, in the order of the file.
Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  SIGNET_TRY(const std::string bytes, read_public(path));
  const Bio memory = memory_of(bytes);
  std::vector<Certificate> all;
  ERR_clear_error();
  while (memory != nullptr) {
    Certificate next(PEM_read_bio_X509(memory.get(), nullptr, &no_password, nullptr));
    if (next == nullptr) break;
    all.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (all.empty() && at_end) return malformed(path, "holds no certificate in PEM");
  if (!at_end)
    return malformed(path, "certificate " + std::to_string(all.size() + 1) + " cannot be read (" +
                               openssl_reason() + ")");
  ERR_clear_error();
  return all;
}

Result<Key> read_key(const std::string& path) {
  Wiped pem;
  SIGNET_TRY([[maybe_unused]] const Done read, read_private_file(path, kMaxKeyBytes, pem.text));
  const Bio memory = memory_of(pem.text);
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, &no_password, nullptr));
  if (key != nullptr) return key;
  return malformed(path, "holds no private key in PEM, or one that a password locks");
}

Status use_certificate(SSL_CTX* context, const std::string& path, const std::string& key_path,
                       std::vector<Certificate> chain) {
  X509* own = chain.front().get();
  if (X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    return malformed(path, "the certificate is not for servers");
  }
  if (SSL_CTX_use_certificate(context, own) != 1) {
    return malformed(path, "the certificate cannot be used (" + openssl_reason() + ")");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add0_chain_cert(context, chain[i].get()) != 1) {
      return malformed(path, "its chain cannot be used (" + openssl_reason() + ")");
    }
    (void)chain[i].release();  // the context's now
  }
  SIGNET_TRY(const Key key, read_key(key_path));
  if (X509_check_private_key(own, key.get()) != 1) {
    return malformed(key_path, "is not the key of the certificate in " + path);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return malformed(key_path, "the key cannot be used (" + openssl_reason() + ")");
  }
  return Done{};
}

// Whoever can write there says whose clients come in.
Status check_writers(const std::string& path) {
  struct stat facts {};
  const bool is_open = ::stat(path.c_str(), &facts) == 0 && (facts.st_mode & (S_IWGRP | S_IWOTH));
  if (!is_open) return Done{};
  return Error{ErrorCode::kForbidden, path + ": others may write it; chmod go-w mends that"};
}

// Those named are believed as they are, also an authority that another one signed.
Status demand_client_certificates(SSL_CTX* context, const TlsServerOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done checked, check_writers(options.client_ca));
  SIGNET_TRY(const auto authorities, read_certificates(options.client_ca));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return malformed(options.client_ca, "cannot be used (" + openssl_reason() + ")");
    }
  }
  const int missing = options.require_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | missing, nullptr);
  SSL_CTX_set_verify_depth(context, kMaxDepth);
  SSL_CTX_set_max_cert_list(context, kMaxClientChainBytes);
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context);
  if (X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
      X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_CLIENT) != 1) {
    return Error{ErrorCode::kUnavailable, "TLS could not be set up"};
  }
  return Done{};
}

// RFC 7301: a client that offers only what is not spoken here must not go on.
int choose_application(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                       const unsigned char* offered, unsigned int offered_bytes, void*) {
  for (unsigned int at = 0; at < offered_bytes;) {
    const unsigned int size = offered[at++];
    if (size > offered_bytes - at) break;
    const std::string_view name(reinterpret_cast<const char*>(offered + at), size);
    if (name == kApplication) {
      *chosen = offered + at;
      *chosen_bytes = static_cast<unsigned char>(size);
      return SSL_TLSEXT_ERR_OK;
    }
    at += size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool set_protocol(SSL_CTX* context, bool allow_tls12) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  // A write that was put off may come again from a buffer that has grown and moved; an idle
  // connection owns no buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &choose_application, nullptr);
  const int oldest = allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  return SSL_CTX_set_min_proto_version(context, oldest) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1;
}

}  // namespace

WallTime end_of(const X509* certificate) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &broken_down) != 1) return {};
  return {static_cast<std::int64_t>(timegm(&broken_down)) * 1'000};
}

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::load(
    const TlsServerOptions& options) {
  if (options.certificate.empty()) {
    return Error{ErrorCode::kMalformed,
                 "tls.key, tls.client_ca and tls.client_certificates = \"required\" need a "
                 "tls.certificate"};
  }
  if (options.key.empty()) return malformed(options.certificate, "there is no tls.key for it");
  if (options.require_certificate && options.client_ca.empty()) {
    return Error{ErrorCode::kMalformed,
                 "tls.client_certificates = \"required\" needs tls.client_ca, a file of the "
                 "authorities whose certificates count"};
  }
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr || !set_protocol(context.get(), options.allow_tls12)) {
    return Error{ErrorCode::kUnavailable, "TLS could not be set up"};
  }
  SIGNET_TRY(auto chain, read_certificates(options.certificate));
  const WallTime ends = end_of(chain.front().get());
  Status used = use_certificate(context.get(), options.certificate, options.key, std::move(chain));
  if (used.ok() && !options.client_ca.empty()) {
    used = demand_client_certificates(context.get(), options);
  }
  ERR_clear_error();
  if (!used.ok()) return used.error();
  return std::shared_ptr<const TlsServerContext>(new TlsServerContext(std::move(context), ends));
}

}  // namespace signet::net
