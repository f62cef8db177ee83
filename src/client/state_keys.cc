#include "client/state_keys.h"

#include <algorithm>
#include <utility>

#include "client/channel_keys.h"
#include "client/state_row.h"
#include "crypto/wipe.h"

namespace signet::client {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyDigits = 64;
constexpr std::string_view kOwnKind = "own_key.key";
constexpr std::string_view kPeerKind = "peer_key.key";
constexpr std::string_view kPinKind = "pin.pin";

// A sender changes its key when a member leaves; what waited a week may be a few keys old.
constexpr std::int64_t kKept = 16;
// Anybody who is in the mesh may send keys for targets that it makes up, and a broker may make up
// members: the oldest are forgotten, first that sender's own. A forgotten key can be asked for.
constexpr std::int64_t kKeptOfSender = 1'000;
constexpr std::int64_t kKeptOfAll = 20'000;

Error bad_key() { return {ErrorCode::kMalformed, "bad_key: a channel key has 32 bytes"}; }

Error bad_pin(std::string_view name) {
  return {ErrorCode::kMalformed, "state_corrupt: the pinned key of " + std::string(name) +
                                     " was changed on disk: compare it with its owner and trust it "
                                     "again"};
}

// A pin at rest: 64 digits, `v` or `-`, and since when.
std::string pin_text(const Pin& pin) { return pin.key + (pin.verified ? "v" : "-") + pin.since; }

}  // namespace

Result<std::optional<OwnChannelKey>> KeyTables::own_key(std::string_view target) {
  std::optional<OwnChannelKey> key;
  own_key_.first(
      [&](const Statement& row) {
        auto bytes = box_.open(kOwnKind, row_of({target, row.text(0)}), row.text(1));
        // One that can't be read is as good as none: a new one is made.
        if (!bytes) return;
        key.emplace();
        key->target = target;
        key->key_id = row.string(0);
        key->key = *std::move(bytes);
        key->made = {row.number(2)};
      },
      target);
  if (key) {
    own_holders_.each([&](const Statement& row) { key->holders.push_back(row.string(0)); }, target);
  }
  return key;
}

Status KeyTables::keep_own_key(const OwnChannelKey& key) {
  if (key.key.size() != kKeyBytes) return bad_key();
  const std::string sealed = box_.seal(kOwnKind, row_of({key.target, key.key_id}), key.key);
  if (!is_current_.exists(key.target, key.key_id)) drop_holders_.run(key.target);
  put_own_key_.run(key.target, key.key_id, Blob{sealed}, key.made.ms);
  for (const std::string& member : key.holders) add_holder_.run(key.target, member);
  return Done{};
}

Result<KeyOffer> KeyTables::offer_own_key(std::string_view target,
                                          const std::vector<std::string>& audience, WallTime now,
                                          const State::MakeKey& make) {
  SIGNET_TRY(std::optional<OwnChannelKey> present, own_key(target));
  KeyPlan plan = plan_channel_key(present ? &*present : nullptr, audience, now);
  if (plan.make_new) {
    if (present) crypto::wipe(present->key);
    auto made = make();
    if (!made.ok()) return made.error();
    present = *std::move(made);
  }
  note_offers(*present, plan.seal_to);
  if (plan.make_new || !plan.seal_to.empty()) {
    const Status kept = keep_own_key(*present);
    if (!kept.ok()) return kept.error();
  }
  return KeyOffer{*std::move(present), std::move(plan.seal_to)};
}

Status KeyTables::add_key_holder(std::string_view target, std::string_view key_id,
                                 std::string_view member) {
  // A late word about a key that was replaced says nothing about the new one.
  if (is_current_.exists(target, key_id)) add_holder_.run(target, member);
  return Done{};
}

Status KeyTables::keep_peer_key(std::string_view sender, std::string_view target,
                                std::string_view key_id, std::string_view key) {
  if (key.size() != kKeyBytes) return bad_key();
  const std::string sealed = box_.seal(kPeerKind, row_of({sender, target, key_id}), key);
  put_peer_key_.run(sender, target, key_id, Blob{sealed});
  drop_old_here_.run(sender, target, kKept);
  drop_old_of_sender_.run(sender, kKeptOfSender);
  drop_old_.run(kKeptOfAll);
  return Done{};
}

Result<std::optional<std::string>> KeyTables::peer_key(std::string_view sender,
                                                       std::string_view target,
                                                       std::string_view key_id) {
  std::optional<std::string> key;
  peer_key_.first(
      [&](const Statement& row) {
        key = box_.open(kPeerKind, row_of({sender, target, key_id}), row.text(0));
      },
      sender, target, key_id);
  return key;
}

Result<Pin> KeyTables::open_pin(std::string_view name, std::string_view sealed) const {
  const auto text = box_.open(kPinKind, name, sealed);
  if (!text || text->size() <= kKeyDigits) return bad_pin(name);
  return Pin{std::string(name), text->substr(0, kKeyDigits), (*text)[kKeyDigits] == 'v',
             text->substr(kKeyDigits + 1)};
}

Result<std::vector<Pin>> KeyTables::pins() {
  std::vector<Pin> found;
  std::optional<Error> error;
  pins_.each([&](const Statement& row) {
    auto pin = open_pin(row.text(0), row.text(1));
    if (pin.ok()) {
      found.push_back(*std::move(pin));
    } else {
      error = pin.error();
    }
  });
  if (error) return *std::move(error);
  return found;
}

Result<std::optional<Pin>> KeyTables::pin(std::string_view name) {
  std::optional<std::string> sealed;
  pin_.first([&](const Statement& row) { sealed = row.string(0); }, name);
  if (!sealed) return std::optional<Pin>();
  SIGNET_TRY(Pin found, open_pin(name, *sealed));
  return std::optional(std::move(found));
}

Status KeyTables::keep_pin(std::string_view name, std::string_view key, bool verified,
                           WallTime now) {
  if (key.size() != kKeyDigits) {
    return Error{ErrorCode::kMalformed, "bad_key: a pinned key has 64 hex digits"};
  }
  Pin next{std::string(name), std::string(key), verified, iso8601(now)};
  // One that was changed on disk is replaced like any other.
  auto before = pin(name);
  if (before.ok() && *before && (*before)->key == next.key) next.since = (*before)->since;
  const std::string sealed = box_.seal(kPinKind, name, pin_text(next));
  put_pin_.run(name, Blob{sealed});
  return Done{};
}

Result<Pin> KeyTables::first_pin(std::string_view name, std::string_view key, WallTime now) {
  SIGNET_TRY(std::optional<Pin> known, pin(name));
  if (known) return *std::move(known);
  make_room_for_pin();
  SIGNET_TRY([[maybe_unused]] const Done kept, keep_pin(name, key, false, now));
  return Pin{std::string(name), std::string(key), false, iso8601(now)};
}

// Some more than one are dropped at once: whether a pin is verified is seen only when it is opened.
void KeyTables::make_room_for_pin() {
  const std::size_t most = options_.unverified_pins;
  if (count_pins_.count() < static_cast<std::int64_t>(most)) return;
  std::vector<Pin> unverified;
  pins_.each([&](const Statement& row) {
    auto pin = open_pin(row.text(0), row.text(1));
    if (pin.ok() && !pin->verified) unverified.push_back(*std::move(pin));
  });
  if (unverified.size() < most) return;
  std::stable_sort(unverified.begin(), unverified.end(),
                   [](const Pin& one, const Pin& other) { return one.since < other.since; });
  constexpr std::size_t kShareAtOnce = 16;
  const std::size_t spare = unverified.size() - most + 1 + most / kShareAtOnce;
  unverified.resize(std::min(spare, unverified.size()));
  for (const Pin& pin : unverified) drop_pin_.run(pin.name);
}

}  // namespace signet::client
