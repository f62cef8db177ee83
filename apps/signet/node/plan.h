// What a node does next, decided from what it keeps, what it was answered, the time and the
// handshakes of its peers. Pure: the agent reads, writes and waits around it.
//
// What it keeps to (overlay/key_choice.h, threats K7 and K11):
//   - keys are kept before they are reported, and used ones never go back;
//   - an answer that is older than what is kept changes nothing, and neither does one that can't be
//     opened or does not hold the keys of every epoch that it names: the last good stays. Only a
//     denial is obeyed whatever its epoch is: it takes peers away and brings nobody back;
//   - a node that is not allowed has no peers, and none of the keys that it had;
//   - a key that was ever in a list of revocations is configured no more.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/fresh_box.h"
#include "dialects/overlay.h"
#include "dialects/overlay_revocations.h"
#include "overlay/wireguard_config.h"
#include "signet/node/kept_state.h"

namespace signet::node {

// ---- answers

// Why an answer was not taken. Each is counted, and told in the log by its name.
enum class AnswerFault : std::uint8_t {
  kNone,
  kOtherNode,         // it is about another node
  kOlderRevocations,  // it knows an older list than was seen already
  kOlderEpoch,        // it is of an earlier decision than was seen already
  kOlderKeys,         // it goes back behind the keys in use
  kNotOpened,         // sealed to a fresh key that is gone: after the next report there is another
  kIncomplete,        // it names epochs and does not hold the keys of each
  kBroken,            // what was sealed is no configuration
};
inline constexpr std::size_t kAnswerFaults = 8;
std::string_view name_of(AnswerFault fault);

// Why a list of revocations was not taken.
enum class ListFault : std::uint8_t {
  kNone,
  kOtherMesh,
  kBadSignature,
  kOtherSigner,  // not who signed the first
  kOlder,        // than the newest that was seen
  kNoEntries,    // a serial and nobody revoked: such a list is not offered, and would only leap
};
inline constexpr std::size_t kListFaults = 6;
std::string_view name_of(ListFault fault);

// A configuration whose boxes were opened.
struct OpenedAnswer {
  dialects::OverlayConfig config;
  std::vector<KeptText> texts;  // written anew from what was read; never as it came
  std::size_t unopened = 0;     // boxes to other fresh keys
  bool broken = false;          // one held what no node is given
  // Which of the fresh keys opened it, the newest first; older ones are not needed again.
  std::optional<std::size_t> fresh_key;
};
// `fresh`: the newest first.
OpenedAnswer open_answer(dialects::OverlayConfig config, std::string_view mesh,
                         const std::deque<crypto::FreshKeyPair>& fresh);

struct AnswerTaken {
  AnswerFault fault = AnswerFault::kNone;
  // It denies, and was taken although it is of an earlier decision than was seen already.
  bool is_older_denial = false;
  KeptState kept;  // as it was, as far as the answer was not taken
};
AnswerTaken take_answer(const KeptState& kept, const OpenedAnswer& answer);

struct ListTaken {
  ListFault fault = ListFault::kNone;
  KeptRevocations kept;
};
ListTaken take_list(const KeptRevocations& kept, std::string_view mesh,
                    const dialects::RevocationList& list);

// ---- handshakes

// What WireGuard says of one peer.
struct PeerSeen {
  overlay::WireGuardKey key{};
  WallTime handshake;            // the last one; 0: none yet
  std::uint64_t sent_bytes = 0;  // handshakes included
};

struct HandshakeRules {
  // A session is renewed at this age by who sends, so who sends beyond it and has no new one was
  // refused. WireGuard's REKEY_AFTER_TIME and one REKEY_TIMEOUT.
  std::chrono::milliseconds renewed_by{125'000};
  // Without a session each try is answered within a round trip; a REKEY_TIMEOUT more is patience.
  std::chrono::milliseconds first_by{5'000};
};

// HandshakeWatch tells with which peers a handshake was tried since the last one that succeeded, as
// epoch_for_peer() asks: bytes went out when only a handshake could have carried them.
class HandshakeWatch {
 public:
  explicit HandshakeWatch(const HandshakeRules& rules = {}) : rules_(rules) {}

  // What is seen at a moment; peers that are not in it are forgotten.
  void look(const std::vector<PeerSeen>& peers, WallTime wall, Elapsed now);
  const std::set<overlay::WireGuardKey>& failing() const { return failing_; }

 private:
  struct Watched {
    WallTime handshake;
    std::uint64_t sent_bytes = 0;
    Elapsed since;  // when that handshake was; without one: when the peer was first seen
    bool tried = false;
  };
  HandshakeRules rules_;
  std::map<overlay::WireGuardKey, Watched> watched_;
  std::set<overlay::WireGuardKey> failing_;
};

// ---- the plan

enum class Wanted : std::uint8_t {
  kNothing,  // nobody decided yet: the interface stays as it is
  kNoPeers,  // it is not allowed
  kPeers,
};

struct PlanInput {
  const OpenedAnswer* answer = nullptr;  // none came
  WallTime now;
  std::set<overlay::WireGuardKey> failing;
};

struct Plan {
  KeptState kept;
  AnswerFault fault = AnswerFault::kNone;
  bool is_older_denial = false;  // as of AnswerTaken
  Wanted wanted = Wanted::kNothing;
  bool changed = false;             // `kept` is to be on disk before anything else of this is done
  overlay::WireGuardConfig config;  // of kNoPeers and kPeers, with the private key
  std::optional<WallTime> again;    // the plan may be another from then on, without an answer
};
Plan plan(const KeptState& kept, const PlanInput& input);

// What the node may say of its keys: what is in `on_disk`, and the epoch whose keys were applied
// last (0: none).
dialects::NodeKeysSaid keys_said(const KeptState& on_disk, std::uint64_t applied);

// The number behind one that the controller calls replayed: this node lost its count, or somebody
// restored an old file.
std::uint64_t sequence_beyond(std::uint64_t sequence, WallTime now);

overlay::WireGuardConfig copy_of(const overlay::WireGuardConfig& config);

}  // namespace signet::node
