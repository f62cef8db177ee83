#include "signet/node/plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "overlay/epoch_keys.h"

namespace signet::node {
namespace {

using overlay::KeyChoice;
using overlay::KeyOffer;
using overlay::WireGuardConfig;
using overlay::WireGuardForm;
using overlay::WireGuardKey;
using overlay::WireGuardPeer;

constexpr std::uint64_t kSequenceLeap = 1U << 20U;  // more than a node sends in a year

// What was sealed, read and written anew. `opened` is text of others.
Result<SecretBytes> rewritten(std::string_view opened) {
  SIGNET_TRY(WireGuardConfig config, overlay::read_wireguard(opened));
  config.private_key = SecretBytes();  // which is the node's own business
  return overlay::write(config, WireGuardForm::kQuick);
}

void open_box(const dialects::OverlaySealed& sealed, std::string_view mesh,
              const std::deque<crypto::FreshKeyPair>& fresh, OpenedAnswer& answer) {
  const std::string context = overlay::delivery_context(mesh, answer.config.node, sealed.epoch);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const auto opened = crypto::open_fresh(fresh[i], context, sealed.box);
    if (!opened) continue;
    auto text = rewritten(opened->text());
    answer.broken = answer.broken || !text.ok();
    if (text.ok()) answer.texts.push_back({sealed.epoch, *std::move(text)});
    answer.fresh_key = std::min(answer.fresh_key.value_or(i), i);
    return;
  }
  ++answer.unopened;
}

bool holds(const std::vector<KeptText>& texts, std::uint64_t epoch) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const KeptText& each) { return each.epoch == epoch; });
}

// Exactly the epochs that it names, each once.
bool is_complete(const KeyOffer& offer, const std::vector<KeptText>& texts) {
  std::set<std::uint64_t> named{offer.current};
  std::size_t count = 1;
  for (const auto& epoch : {offer.next, offer.previous}) {
    if (!epoch) continue;
    named.insert(*epoch);
    ++count;
  }
  const bool all = std::all_of(named.begin(), named.end(),
                               [&](std::uint64_t epoch) { return holds(texts, epoch); });
  return all && named.size() == count && texts.size() == count;
}

AnswerFault fault_of_age(const KeptState& kept, const dialects::OverlayConfig& config) {
  if (config.node != kept.node) return AnswerFault::kOtherNode;
  if (config.revocations < kept.revocations.serial) return AnswerFault::kOlderRevocations;
  if (config.allowed == false) return AnswerFault::kNone;  // its keys, if any, are not looked at
  if (config.epoch < kept.epoch) return AnswerFault::kOlderEpoch;
  const bool has_keys = config.keys && config.keys->offer.current > 0;
  if (has_keys && overlay::is_older(config.keys->offer, kept.in_use)) {
    return AnswerFault::kOlderKeys;
  }
  return AnswerFault::kNone;
}

AnswerFault fault_of_keys(const OpenedAnswer& answer) {
  if (answer.unopened > 0) return AnswerFault::kNotOpened;
  if (answer.broken) return AnswerFault::kBroken;
  if (!is_complete(answer.config.keys->offer, answer.texts)) return AnswerFault::kIncomplete;
  return AnswerFault::kNone;
}

void take_keys(const OpenedAnswer& answer, KeptState& kept) {
  kept.offer = answer.config.keys->offer;
  kept.texts.clear();
  for (const KeptText& each : answer.texts) {
    kept.texts.push_back({each.epoch, copy_of(each.text)});
    const auto config = overlay::read_wireguard(each.text.text());
    if (!config.ok()) continue;
    kept.address = config->address;
    kept.bits = config->bits;
  }
}

// Peers by their keys, as each epoch's text has them.
using PeersByKey = std::map<WireGuardKey, WireGuardPeer>;
std::map<std::uint64_t, PeersByKey> peers_of(const KeptState& kept) {
  std::map<std::uint64_t, PeersByKey> peers;
  for (const KeptText& each : kept.texts) {
    auto config = overlay::read_wireguard(each.text.text());
    if (!config.ok()) continue;
    for (WireGuardPeer& peer : config->peers) {
      const WireGuardKey key = peer.key;
      peers[each.epoch].emplace(key, std::move(peer));
    }
  }
  return peers;
}

WireGuardPeer copy_of_peer(const WireGuardPeer& peer) {
  WireGuardPeer copy;
  copy.key = peer.key;
  copy.allowed_ip = peer.allowed_ip;
  copy.endpoint = peer.endpoint;
  copy.preshared = copy_of(peer.preshared);
  copy.keepalive_s = peer.keepalive_s;
  return copy;
}

// A peer that only one of the texts has is configured as that one says.
const WireGuardPeer* peer_in(const std::map<std::uint64_t, PeersByKey>& peers,
                             const WireGuardKey& key, std::uint64_t epoch) {
  const PeersByKey* other = nullptr;
  for (const auto& [each, by_key] : peers) {
    if (!by_key.contains(key)) continue;
    if (each == epoch) return &by_key.at(key);
    other = &by_key;
  }
  return other == nullptr ? nullptr : &other->at(key);
}

void add_peers(const KeptState& kept, const KeyChoice& choice, const PlanInput& input,
               WireGuardConfig& config) {
  const auto peers = peers_of(kept);
  std::set<WireGuardKey> keys;
  for (const auto& [epoch, by_key] : peers) {
    for (const auto& [key, peer] : by_key) keys.insert(key);
  }
  keys.erase(wireguard_key_of(kept.wireguard));
  for (const WireGuardKey& key : keys) {
    if (kept.revocations.keys.contains(key)) continue;
    const bool failing = input.failing.contains(key);
    const auto* peer = peer_in(peers, key, overlay::epoch_for_peer(choice, failing, input.now));
    if (peer != nullptr) config.peers.push_back(copy_of_peer(*peer));
  }
}

WallTime next_trial(WallTime now) {
  return {(now.ms / overlay::kTrial.count() + 1) * overlay::kTrial.count()};
}

bool is_same(const KeptState& a, const KeptState& b) {
  return write_kept(a).text() == write_kept(b).text();
}

// Which keys are used now, and when that may change by itself.
KeyChoice choose_keys(const PlanInput& input, Plan& made) {
  KeptState& kept = made.kept;
  if (kept.offer.current == 0 || overlay::is_older(kept.offer, kept.in_use)) return {};
  const KeyChoice choice = overlay::choose(kept.offer, input.now, kept.in_use);
  kept.in_use = std::max(kept.in_use, choice.use);
  const auto earlier = [&](WallTime at) { made.again = std::min(made.again.value_or(at), at); };
  const bool is_to_come = kept.offer.moment && input.now < *kept.offer.moment;
  if (is_to_come && kept.offer.next && choice.use != *kept.offer.next) earlier(*kept.offer.moment);
  if (choice.also && !input.failing.empty()) earlier(next_trial(input.now));
  return choice;
}

}  // namespace

std::string_view name_of(AnswerFault fault) {
  constexpr std::array<std::string_view, kAnswerFaults> kNames{
      "none",       "other_node", "older_revocations", "older_epoch",
      "older_keys", "not_opened", "incomplete",        "broken"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string_view name_of(ListFault fault) {
  constexpr std::array<std::string_view, kListFaults> kNames{
      "none", "other_mesh", "bad_signature", "other_signer", "older", "no_entries"};
  return kNames[static_cast<std::size_t>(fault)];
}

OpenedAnswer open_answer(dialects::OverlayConfig config, std::string_view mesh,
                         const std::deque<crypto::FreshKeyPair>& fresh) {
  OpenedAnswer answer;
  answer.config = std::move(config);
  if (!answer.config.keys) return answer;
  for (const dialects::OverlaySealed& sealed : answer.config.keys->sealed) {
    open_box(sealed, mesh, fresh, answer);
  }
  return answer;
}

AnswerTaken take_answer(const KeptState& kept, const OpenedAnswer& answer) {
  const dialects::OverlayConfig& config = answer.config;
  AnswerTaken taken{fault_of_age(kept, config), false, copy_of(kept)};
  if (taken.fault != AnswerFault::kNone) return taken;
  // That nothing is decided takes nothing back, and binds no later answer either: an epoch counts
  // where somebody decided in it.
  if (!config.allowed) return taken;
  taken.is_older_denial = config.epoch < kept.epoch;
  taken.kept.epoch = std::max(kept.epoch, config.epoch);
  taken.kept.allowed = config.allowed;
  taken.kept.reason = config.reason;
  if (!*config.allowed) {
    taken.kept.offer = {};
    taken.kept.texts.clear();
    return taken;
  }
  if (!config.keys || config.keys->offer.current == 0) return taken;
  taken.fault = fault_of_keys(answer);
  if (taken.fault == AnswerFault::kNone) take_keys(answer, taken.kept);
  return taken;
}

ListTaken take_list(const KeptRevocations& kept, std::string_view mesh,
                    const dialects::RevocationList& list) {
  ListTaken taken{ListFault::kNone, kept};
  if (list.mesh != mesh) {
    taken.fault = ListFault::kOtherMesh;
  } else if (!dialects::verifies(list)) {
    taken.fault = ListFault::kBadSignature;
  } else if (kept.signer && *kept.signer != list.signer) {
    taken.fault = ListFault::kOtherSigner;
  } else if (list.serial < kept.serial) {
    taken.fault = ListFault::kOlder;
  } else if (list.entries.empty() && list.serial > 0) {
    taken.fault = ListFault::kNoEntries;
  }
  if (taken.fault != ListFault::kNone) return taken;
  taken.kept.serial = list.serial;
  taken.kept.signer = list.signer;
  for (const dialects::Revocation& each : list.entries) {
    if (each.wireguard) taken.kept.keys.insert(*each.wireguard);
  }
  return taken;
}

void HandshakeWatch::look(const std::vector<PeerSeen>& peers, WallTime wall, Elapsed now) {
  std::map<WireGuardKey, Watched> seen;
  failing_.clear();
  for (const PeerSeen& peer : peers) {
    const auto known = watched_.find(peer.key);
    const bool is_new = known == watched_.end() || known->second.handshake != peer.handshake;
    Watched watched{peer.handshake, peer.sent_bytes, now, false};
    if (is_new && peer.handshake.ms > 0) {
      const auto age =
          std::chrono::milliseconds(std::max<std::int64_t>(wall.ms - peer.handshake.ms, 0));
      watched.since = {now.since_boot - age};
    }
    if (!is_new) {
      const auto limit = peer.handshake.ms > 0 ? rules_.renewed_by : rules_.first_by;
      const bool sent =
          peer.handshake.ms > 0 ? peer.sent_bytes > known->second.sent_bytes : peer.sent_bytes > 0;
      watched.since = known->second.since;
      watched.tried = known->second.tried || (sent && now - watched.since > limit);
    }
    if (watched.tried) failing_.insert(peer.key);
    seen.emplace(peer.key, watched);
  }
  watched_ = std::move(seen);
}

Plan plan(const KeptState& kept, const PlanInput& input) {
  Plan made;
  if (input.answer == nullptr) {
    made.kept = copy_of(kept);
  } else {
    AnswerTaken taken = take_answer(kept, *input.answer);
    made.kept = std::move(taken.kept);
    made.fault = taken.fault;
    made.is_older_denial = taken.is_older_denial;
  }
  const KeyChoice choice = choose_keys(input, made);
  made.changed = !is_same(kept, made.kept);
  made.config.private_key = copy_of(made.kept.wireguard);
  made.config.address = made.kept.address;
  if (made.kept.bits != 0) made.config.bits = made.kept.bits;
  made.config.listen_port = made.kept.listen_port;
  if (made.kept.allowed == false) made.wanted = Wanted::kNoPeers;
  if (made.kept.allowed != true || choice.use == 0) return made;
  made.wanted = Wanted::kPeers;
  add_peers(made.kept, choice, input, made.config);
  return made;
}

dialects::NodeKeysSaid keys_said(const KeptState& on_disk, std::uint64_t applied) {
  dialects::NodeKeysSaid said;
  if (on_disk.allowed != true) return said;
  if (on_disk.offer.next && holds(on_disk.texts, *on_disk.offer.next)) {
    said.ready = on_disk.offer.next;
  }
  if (applied != 0 && holds(on_disk.texts, applied)) said.uses = applied;
  return said;
}

std::uint64_t sequence_beyond(std::uint64_t sequence, WallTime now) {
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms, 0));
  return std::min(std::max(sequence + kSequenceLeap, clock), dialects::kMaxSequence - 1);
}

overlay::WireGuardConfig copy_of(const overlay::WireGuardConfig& config) {
  WireGuardConfig copy;
  copy.private_key = copy_of(config.private_key);
  copy.address = config.address;
  copy.bits = config.bits;
  copy.listen_port = config.listen_port;
  for (const WireGuardPeer& peer : config.peers) copy.peers.push_back(copy_of_peer(peer));
  return copy;
}

}  // namespace signet::node
