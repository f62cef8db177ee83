#include "net/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace signet::net {

std::string certificate_fault(long verify_result, const std::string& name) {
  switch (verify_result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "certificate is for another name than " + name;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "certificate expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "certificate is not valid yet, or the clock of this machine is wrong";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "certificate is self-signed; name it as ca_file to believe it";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "certificate is signed by nobody who is trusted here";
    case X509_V_ERR_CERT_REVOKED:
      return "certificate is revoked";
    case X509_V_ERR_INVALID_PURPOSE:
      return "certificate is not for servers";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "certificate is too weak";
    default:
      return std::string("certificate is not good: ") +
             X509_verify_cert_error_string(verify_result);
  }
}

Error handshake_fault(unsigned long openssl_error) {
  switch (ERR_GET_REASON(openssl_error)) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
      return {ErrorCode::kMalformed,
              "protocol too old: TLS 1.3 is wanted, 1.2 is spoken on request only"};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return {ErrorCode::kMalformed, "the server does not speak TLS on this port"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return {ErrorCode::kMalformed, "the server refused what TLS 1.3 offers: it may be too old"};
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return {ErrorCode::kUnavailable, "the server hung up during the TLS handshake"};
    default:
      break;
  }
  const char* reason = ERR_reason_error_string(openssl_error);
  return {ErrorCode::kUnavailable,
          std::string("TLS handshake: ") + (reason != nullptr ? reason : "it failed")};
}

}  // namespace signet::net
