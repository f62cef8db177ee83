#include "load_target.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/time.h"
#include "claudemesh_protocol.h"
#include "hub_protocol.h"
#include "mqtt_protocol.h"
#include "nats_protocol.h"
#include "overlay_protocol.h"
#include "peer_protocol.h"
#include "pulsemesh_protocol.h"
#include "redis_protocol.h"
#include "relay_protocol.h"
#include "send_ceiling.h"
#include "websocket_protocol.h"

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

// All on one topic, so that each pulse reaches everybody else.
Target pulsemesh_target(const TargetOptions& options) {
  Target target;
  target.addresses.assign(options.peers, options.topic);
  target.everyone = options.topic;
  target.acknowledges = false;
  target.protocol = [options](std::size_t peer) {
    const std::string source = "bench-" + std::to_string(peer);
    return pulsemesh_protocol(options.at, options.topic,
                              signed_handshake(source, options.secret, system_clock().wall()),
                              options.fans_out ? Hears::kTheirNumber : Hears::kEachPulse);
  };
  return target;
}

// Each is told its own actions, as all sockets of a user are.
Result<Target> hub_target(const TargetOptions& options) {
  auto tokens = std::make_shared<std::vector<std::string>>();
  for (std::size_t i = 0; i < options.peers; ++i) {
    const std::string user = "bench-" + std::to_string(i);
    SIGNET_TRY(std::string token,
               hub_user_token(user, options.token_secret, system_clock().wall()));
    tokens->push_back(std::move(token));
  }
  Target target;
  target.addresses.assign(options.peers, {});
  target.acknowledges = false;
  target.echoes = true;
  target.protocol = [tokens, host = options.at](std::size_t peer) {
    return hub_protocol(host, (*tokens)[peer], system_clock());
  };
  return target;
}

// A node of each peer, registered; it joins first where there is an invite to join by. What one of
// them submits is for the server alone.
Result<Target> overlay_target(const TargetOptions& options) {
  TargetOptions joining = options;
  joining.format = options.invite.empty() ? options.format : "signet";
  SIGNET_TRY(auto identities, make_identities(joining, options.peers));
  auto nodes = std::make_shared<std::vector<std::shared_ptr<OverlayNode>>>();
  for (Membership& identity : identities) {
    auto node = std::make_shared<OverlayNode>(std::move(identity));
    SIGNET_TRY([[maybe_unused]] const auto registered,
               ask_well(options.at, "POST", "/v1/nodes/" + node->name(),
                        node->registration(system_clock().wall())));
    nodes->push_back(std::move(node));
  }
  Target target;
  target.addresses.assign(options.peers, "-");
  target.absent = "-";
  target.protocol = [nodes, at = options.at](std::size_t peer) {
    return overlay_protocol(at, (*nodes)[peer]);
  };
  return target;
}

// WebSockets of which the server knows nothing more: what is below every format.
Target bare_target(const TargetOptions& options) {
  Target target;
  target.addresses.assign(options.peers, {});
  target.protocol = [host = options.at](std::size_t) {
    return std::make_unique<WebSocketProtocol>(host, "/ws", "");
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

// Keys that nobody knows: where the relay is open, any key is let in.
Target securewebsocket_target(const TargetOptions& options) {
  using Secret = std::array<unsigned char, 32>;
  auto secrets = std::make_shared<std::vector<Secret>>();
  Target target;
  for (std::size_t i = 0; i < options.peers; ++i) {
    const auto keys = crypto::RelaySecretKey::generate();
    secrets->push_back(keys.reveal());
    target.addresses.push_back(crypto::relay_key_text(keys.public_key()));
  }
  target.acknowledges = false;
  target.protocol = [secrets, host = options.at](std::size_t peer) {
    return relay_protocol(host, crypto::RelaySecretKey::from_bytes((*secrets)[peer]));
  };
  return target;
}

Target task_target(const TargetOptions& options, PeerTask task, PeerFraming framing) {
  Target target;
  target.addresses.assign(options.peers, "-");
  target.everyone = "-";
  target.acknowledges = false;
  target.echoes = task == PeerTask::kEcho;
  target.protocol = [=, host = options.at](std::size_t peer) {
    return peer_protocol(host, task, framing, peer);
  };
  return target;
}

Target topic_target(std::size_t peers, std::string_view topic,
                    std::unique_ptr<Protocol> (*protocol)(std::size_t)) {
  Target target;
  target.addresses.assign(peers, std::string(topic));
  target.everyone = topic;
  target.acknowledges = false;
  target.protocol = protocol;
  return target;
}

Target ceiling_target(const TargetOptions& options) {
  Target target;
  target.addresses.assign(options.peers, "-");
  target.everyone = "-";
  target.acknowledges = false;
  target.protocol = [bytes = options.filler_bytes](std::size_t) { return ceiling_protocol(bytes); };
  return target;
}

struct NamedFormat {
  std::string_view name;
  Target (*target)(const TargetOptions&);
};

template <PeerTask task, PeerFraming framing>
Target task_of(const TargetOptions& options) {
  return task_target(options, task, framing);
}

// All but those of claudemesh and the overlay, whose peers may have to join first, and of Hub,
// whose users show tokens.
constexpr NamedFormat kFormats[] = {
    {"pulsemesh", pulsemesh_target},
    {"securewebsocket", securewebsocket_target},
    {"bare", bare_target},
    {"ceiling", ceiling_target},
    {"ws-echo", task_of<PeerTask::kEcho, PeerFraming::kWebSocket>},
    {"ws-pair", task_of<PeerTask::kPair, PeerFraming::kWebSocket>},
    {"ws-user", task_of<PeerTask::kUser, PeerFraming::kWebSocket>},
    {"ws-topic", task_of<PeerTask::kTopic, PeerFraming::kWebSocket>},
    {"socketio-echo", task_of<PeerTask::kEcho, PeerFraming::kSocketIo>},
    {"socketio-pair", task_of<PeerTask::kPair, PeerFraming::kSocketIo>},
    {"socketio-topic", task_of<PeerTask::kTopic, PeerFraming::kSocketIo>},
    {"nats",
     [](const TargetOptions& options) {
       return named_target(options.peers, false, nats_subject,
                           [](std::size_t i) { return nats_protocol(i, false); });
     }},
    {"nats-topic",
     [](const TargetOptions& options) {
       return topic_target(options.peers, kNatsTopic, nats_topic_protocol);
     }},
    {"jetstream",
     [](const TargetOptions& options) {
       return named_target(options.peers, true, nats_subject,
                           [](std::size_t i) { return nats_protocol(i, true); });
     }},
    {"mqtt",
     [](const TargetOptions& options) {
       return named_target(options.peers, true, mqtt_topic, mqtt_protocol);
     }},
    {"mqtt-unconfirmed",
     [](const TargetOptions& options) {
       return named_target(options.peers, false, mqtt_topic, mqtt_unconfirmed_protocol);
     }},
    {"mqtt-topic",
     [](const TargetOptions& options) {
       return topic_target(options.peers, kMqttTopic, mqtt_topic_protocol);
     }},
    {"redis",
     [](const TargetOptions& options) {
       return named_target(options.peers, true, redis_stream,
                           [](std::size_t) { return redis_protocol(); });
     }},
};

Result<Target> target_of_format(const TargetOptions& options) {
  if (options.format == "signet" || options.format == "relay") {
    SIGNET_TRY(auto identities, make_identities(options, options.peers + 1));
    return claudemesh_target(options, std::move(identities));
  }
  if (options.format == "hub") return hub_target(options);
  if (options.format == "overlay") return overlay_target(options);
  for (const NamedFormat& format : kFormats) {
    if (format.name == options.format) return format.target(options);
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
  target.over_tls = options.over_tls;
  return target;
}

}  // namespace signet::bench
