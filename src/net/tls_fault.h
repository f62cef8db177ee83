// TlsFault is why a peer's TLS came to nothing, as it is counted and logged. A peer is told no more
// than the alert of the protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signet::net {

enum class TlsFault : std::uint8_t {
  kTimeout,         // the handshake took too long
  kNotTls,          // the bytes are something else: HTTP, most often
  kVersion,         // too old
  kApplication,     // ALPN without http/1.1
  kParameters,      // no suite, group or signature that both take
  kNoCertificate,   // of the client, where one is required
  kCertificate,     // of the client, not good: expired, of another authority, of another use
  kClientRefused,   // the client ended it with an alert: it does not believe our certificate
  kHungUp,          // within the handshake
  kMalformed,       // a handshake that breaks the protocol
  kRecord,          // after the handshake: a record that does not open, or breaks the protocol
  kUnreadableName,  // the client certificate is good, its common name is not one (not a failure)
  kInternal,        // our fault, or memory is out
};
inline constexpr std::size_t kTlsFaultCount = 13;
std::string_view name_of(TlsFault fault);

// Of a handshake in which OpenSSL failed: `openssl_error` as ERR_peek_last_error() has it, since
// the first of a certificate is of the library that looked at it.
TlsFault handshake_fault_of(unsigned long openssl_error);

}  // namespace signet::net
