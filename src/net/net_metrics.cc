#include "net/net_metrics.h"

#include <array>

namespace signet::net {
namespace {

constexpr std::string_view kClosed = "signet_net_closed_total";
constexpr std::string_view kClosedHelp =
    "Connections that ended, by reason; lost: the peer went away without a word.";

}  // namespace

std::string_view name_of(Refused reason) {
  constexpr std::array<std::string_view, kRefusedCount> names{
      "capacity", "address", "unproven", "descriptors", "other_user", "unproven_share"};
  return names[static_cast<std::size_t>(reason)];
}

NetMetrics::NetMetrics(MetricRegistry& metrics)
    : connections(metrics.gauge("signet_connections", "Open sockets.")),
      accepted(metrics.counter("signet_net_accepted_total", "Sockets that were accepted.")),
      refused(metrics, "signet_net_refused_total",
              "Sockets that were closed as soon as they were accepted.", "reason", kRefusedCount),
      closed(metrics, kClosed, kClosedHelp, "reason", kCloseReasonCount),
      lost(metrics.counter(kClosed, kClosedHelp, "reason=\"lost\"")),
      http_requests(metrics.counter("signet_net_http_requests_total", "Complete HTTP requests.")),
      http_bad(metrics.counter("signet_net_http_bad_total",
                               "HTTP requests that were malformed, too large or too slow.")),
      origins_refused(metrics.counter("signet_net_origins_refused_total",
                                      "Requests of web pages whose origin is not listed.")),
      bytes_in(metrics.counter("signet_net_bytes_in_total", "Bytes received.")),
      bytes_out(metrics.counter("signet_net_bytes_out_total", "Bytes sent.")),
      dropped_frames(metrics.counter("signet_net_dropped_frames_total",
                                     "Frames not queued because the peer's queue was full.")),
      pings(metrics.counter("signet_net_pings_total", "Pings sent to silent peers.")),
      tls_handshakes(
          metrics.counter("signet_tls_handshakes_total", "TLS handshakes that succeeded.")),
      tls_failures(metrics, "signet_tls_failures_total",
                   "TLS that came to nothing, by reason; unreadable_name: the client certificate "
                   "is good and names nobody.",
                   "reason", kTlsFaultCount),
      tls_certificate_ends(metrics.gauge(
          "signet_tls_certificate_not_after_seconds",
          "When the certificate that is shown ends, in seconds since 1970; 0: there is no TLS.")) {}

}  // namespace signet::net
