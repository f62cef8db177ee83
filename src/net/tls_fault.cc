#include "net/tls_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

namespace signet::net {

std::string_view name_of(TlsFault fault) {
  constexpr std::array<std::string_view, kTlsFaultCount> names{
      "timeout",        "not_tls",         "version",        "application", "parameters",
      "no_certificate", "certificate",     "client_refused", "hung_up",     "malformed",
      "record",         "unreadable_name", "internal"};
  return names[static_cast<std::size_t>(fault)];
}

TlsFault handshake_fault_of(unsigned long openssl_error) {
  if (ERR_GET_LIB(openssl_error) != ERR_LIB_SSL) return TlsFault::kMalformed;
  const int reason = ERR_GET_REASON(openssl_error);
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return TlsFault::kNotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return TlsFault::kVersion;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFault::kApplication;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return TlsFault::kParameters;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFault::kNoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFault::kCertificate;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TlsFault::kHungUp;
    case ERR_R_MALLOC_FAILURE:
    case ERR_R_INTERNAL_ERROR:
      return TlsFault::kInternal;
    default:
      return reason >= SSL_AD_REASON_OFFSET ? TlsFault::kClientRefused : TlsFault::kMalformed;
  }
}

}  // namespace signet::net
