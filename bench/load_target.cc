#include "load_target.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/time.h"
#include "claudemesh_protocol.h"
#include "mqtt_protocol.h"
#include "nats_protocol.h"
#include "redis_protocol.h"

namespace signet::bench {
namespace {

constexpr std::chrono::seconds kJoinTimeout{10};

Target claudemesh_target(const TargetOptions& options, std::vector<Membership> identities) {
  Target target;
  for (const Membership& identity : identities) {
    target.addresses.push_back(identity.identity.public_key());
  }
  // The last member never connects: what is sent to it is stored and nothing else.
  target.absent = target.addresses.back();
  target.addresses.pop_back();
  target.everyone = "*";
  auto shared = std::make_shared<std::vector<Membership>>(std::move(identities));
  target.protocol = [shared, host = options.at](std::size_t peer) {
    const std::int64_t now = system_clock().wall().ms;
    return claudemesh_protocol(host, signed_hello((*shared)[peer], now));
  };
  return target;
}

template <class Name, class Make>
Target named_target(std::size_t peers, bool acknowledges, Name name, Make make) {
  Target target;
  for (std::size_t i = 0; i < peers; ++i) target.addresses.push_back(name(i));
  target.absent = name(peers);
  target.acknowledges = acknowledges;
  target.protocol = make;
  return target;
}

Result<Target> target_of_format(const TargetOptions& options) {
  const std::size_t peers = options.peers;
  if (options.format == "signet" || options.format == "relay") {
    SIGNET_TRY(auto identities, make_identities(options, peers + 1));
    return claudemesh_target(options, std::move(identities));
  }
  if (options.format == "nats") {
    return named_target(peers, false, nats_subject,
                        [](std::size_t i) { return nats_protocol(i, false); });
  }
  if (options.format == "jetstream") {
    return named_target(peers, true, nats_subject,
                        [](std::size_t i) { return nats_protocol(i, true); });
  }
  if (options.format == "mqtt") return named_target(peers, true, mqtt_topic, mqtt_protocol);
  if (options.format == "redis") {
    return named_target(peers, true, redis_stream, [](std::size_t) { return redis_protocol(); });
  }
  return Error{ErrorCode::kMalformed, "unknown format " + options.format};
}

}  // namespace

void append_index(std::string& out, MessageIndex index) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr int kBitsOfDigit = 4;
  for (int shift = (static_cast<int>(kIndexDigits) - 1) * kBitsOfDigit; shift >= 0;
       shift -= kBitsOfDigit) {
    out.push_back(kDigits[index >> shift & 0xf]);
  }
}

MessageIndex read_index(std::string_view text) {
  constexpr int kHex = 16;
  if (text.size() < kIndexDigits) return kNoIndex;
  MessageIndex index = 0;
  const char* end = text.data() + kIndexDigits;
  const auto read = std::from_chars(text.data(), end, index, kHex);
  return read.ptr == end ? index : kNoIndex;
}

Status split_address(std::string_view at, std::string& host, std::uint16_t& port) {
  const auto colon = at.rfind(':');
  if (colon == std::string_view::npos) return Error{ErrorCode::kMalformed, "no HOST:PORT"};
  host = at.substr(0, colon);
  const auto read = std::from_chars(at.data() + colon + 1, at.data() + at.size(), port);
  if (read.ptr != at.data() + at.size()) return Error{ErrorCode::kMalformed, "no port"};
  return Done{};
}

Result<std::vector<Membership>> make_identities(const TargetOptions& options, std::size_t count) {
  std::vector<Membership> identities;
  identities.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (options.format == "signet") {
      SIGNET_TRY(auto joined, join(options.invite, "bench", Identity::generate(), kJoinTimeout));
      identities.push_back(std::move(joined));
    } else {
      identities.push_back({"", "mesh", "mesh", "member", Identity::generate()});
    }
  }
  return identities;
}

Result<Target> make_target(const TargetOptions& options) {
  SIGNET_TRY(Target target, target_of_format(options));
  SIGNET_TRY([[maybe_unused]] const Done split,
             split_address(options.at, target.host, target.port));
  return target;
}

}  // namespace signet::bench
