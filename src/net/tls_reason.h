// What OpenSSL says about a failed handshake, in words for the person who has to mend it.
#pragma once

#include <string>

#include "signet/result.h"

namespace signet::net {

// Why the certificate was not believed; `verify_result` is an X509_V_ERR_ of SSL_get_verify_result.
std::string certificate_fault(long verify_result, const std::string& name);

// The Error of a handshake that failed with `openssl_error` (ERR_peek_error) for a reason other
// than the certificate: kMalformed where the peer speaks no TLS or one too old, else kUnavailable.
Error handshake_fault(unsigned long openssl_error);

}  // namespace signet::net
