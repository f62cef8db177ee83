// NetMetrics is what this module counts, registered before any thread starts.
#pragma once

#include "base/codes.h"
#include "base/metrics.h"
#include "net/tls_fault.h"

namespace signet::net {

// Why a connection was closed as soon as it was accepted.
enum class Refused : std::uint8_t {
  kCapacity,
  kAddress,
  kUnproven,
  kDescriptors,
  kOtherUser,
  kUnprovenShare,  // of its address
};
inline constexpr std::size_t kRefusedCount = 6;
std::string_view name_of(Refused reason);

struct NetMetrics {
  explicit NetMetrics(MetricRegistry& metrics);

  Counter& connections;
  Counter& accepted;
  CodeCounters<Refused> refused;
  CodeCounters<CloseReason> closed;
  Counter& lost;  // the peer went away without a word; a series of `closed`
  Counter& http_requests;
  Counter& http_bad;
  Counter& origins_refused;
  Counter& bytes_in;
  Counter& bytes_out;
  Counter& dropped_frames;
  Counter& pings;
  Counter& tls_handshakes;
  CodeCounters<TlsFault> tls_failures;
  Counter& tls_certificate_ends;
};

}  // namespace signet::net
