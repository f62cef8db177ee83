#include "client/sealing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "crypto/random.h"
#include "crypto/wipe.h"
#include "wire/utf8.h"

namespace signet::client {
namespace {

using crypto::BoxNonce;
using crypto::ChannelBody;
using crypto::ChannelKey;
using crypto::ChannelKeyId;
using crypto::ChannelNonce;
using crypto::ChannelScope;
using crypto::PublicKey;

// Agreed keys that are kept: agreeing costs 100 µs, and a member seldom talks to more at a time.
constexpr std::size_t kMaxBoxes = 256;
// No sealed body is shorter: each ends with, or is, a tag.
constexpr std::size_t kTagBytes = 16;
// How the magic of a channel body begins in base64.
constexpr std::string_view kMagicInBase64 = "U0dDM";

using Nonce = std::array<unsigned char, 24>;
static_assert(std::is_same_v<Nonce, BoxNonce> && std::is_same_v<Nonce, ChannelNonce>);

Nonce fresh_nonce() {
  Nonce nonce{};
  crypto::random_bytes(nonce);
  return nonce;
}

std::optional<Nonce> nonce_of(std::string_view text) {
  const auto bytes = from_base64(text);
  Nonce nonce{};
  if (!bytes || bytes->size() != nonce.size()) return std::nullopt;
  std::ranges::copy(bytes_of(*bytes), nonce.begin());
  return nonce;
}

SealedBody body_of(const Nonce& nonce, std::string_view sealed) {
  return {to_base64(nonce), to_base64(bytes_of(sealed))};
}

bool is_text(std::string_view plaintext) {
  return !begins_as_key_message(plaintext) && wire::is_utf8(plaintext);
}

Status check_target(std::string_view target) {
  if (is_audience(target)) return Done{};
  return Error{ErrorCode::kMalformed, "bad_target: not *, #name or tag:name"};
}

MessageKind kind_of(std::string_view target) {
  if (target.starts_with('#') && is_audience(target)) return MessageKind::kChannel;
  if (is_audience(target)) return MessageKind::kBroadcast;
  return crypto::public_key_from_hex(target) ? MessageKind::kDirect : MessageKind::kUnknown;
}

// What an opened direct message says.
Body body_within(std::string plaintext, std::string_view mesh_id, const PublicKey& sender) {
  if (begins_as_key_message(plaintext)) {
    const crypto::WipedAtEnd wiped(plaintext);
    auto message = read_key_message(plaintext, mesh_id, sender);
    if (!message.ok()) return BodyFault::kMalformed;
    return std::visit([](auto& kind) { return Body(std::move(kind)); }, *message);
  }
  if (!wire::is_utf8(plaintext)) return BodyFault::kMalformed;
  return SealedText{std::move(plaintext)};
}

Body open_channel(const PushedBody& push, std::string_view bytes, const ChannelScope& scope,
                  const KeyLookup& key_of) {
  const auto body = ChannelBody::read(bytes);
  const auto nonce = nonce_of(push.nonce);
  if (!body || !nonce) return BodyFault::kMalformed;
  if (!body->is_signed(scope, *nonce)) return BodyFault::kBadSignature;
  const auto key = key_of ? key_of(scope, body->key_id()) : std::nullopt;
  if (!key || key->id() != body->key_id()) return KeyMissing{body->key_id()};
  auto plaintext = body->open(*key, scope, *nonce);
  if (!plaintext) return BodyFault::kDoesNotOpen;
  if (!is_text(*plaintext)) return BodyFault::kMalformed;
  return SealedText{*std::move(plaintext)};
}

// A body of v0.1: base64 of a text, or, from clients that do not bother, the text itself. What is
// base64 of no text is taken for the text itself only where it is too short to be something sealed
// that was addressed elsewhere: "okay" is a word, a body that does not open is not.
Body read_in_the_clear(std::string_view field, std::optional<std::string> decoded) {
  if (decoded && is_text(*decoded)) return PlainText{*std::move(decoded)};
  if (decoded && decoded->size() >= kTagBytes) return BodyFault::kMalformed;
  if (!is_text(field)) return BodyFault::kMalformed;
  return PlainText{std::string(field)};
}

}  // namespace

Status check_text(std::string_view text) {
  if (begins_as_key_message(text)) {
    return Error{ErrorCode::kMalformed, "text_begins_with_nul: no text may begin with a NUL byte"};
  }
  if (!wire::is_utf8(text)) {
    return Error{ErrorCode::kMalformed, "text_not_utf8: a text must be UTF-8"};
  }
  if (text.size() > kMaxTextBytes) {
    return Error{ErrorCode::kMalformed, "text_too_long: a text has at most 40,000 bytes"};
  }
  return Done{};
}

std::string_view name_of(BodyFault fault) {
  constexpr std::string_view kNames[] = {"reflected", "misdirected", "bad_signature",
                                         "does_not_open", "body_malformed"};
  return kNames[static_cast<std::size_t>(fault)];
}

const std::string* Opened::text() const {
  if (const auto* sealed = std::get_if<SealedText>(&body)) return &sealed->text;
  if (const auto* plain = std::get_if<PlainText>(&body)) return &plain->text;
  return nullptr;
}

std::string_view Opened::why() const {
  if (const auto* fault = std::get_if<BodyFault>(&body)) return name_of(*fault);
  return std::holds_alternative<KeyMissing>(body) ? "key_missing" : "";
}

Sealing::Sealing(std::string mesh_id, const crypto::SecretKey& own)
    : mesh_id_(std::move(mesh_id)), own_(own), nonces_(own) {}

Result<SealedBody> Sealing::direct(const PublicKey& to, std::string_view text) {
  SIGNET_TRY([[maybe_unused]] const Done sound, check_text(text));
  return sealed_to(to, text);
}

Result<SealedBody> Sealing::key_message(const PublicKey& to, const KeyMessage& message) {
  std::string text = std::visit([](const auto& kind) { return write_key_message(kind); }, message);
  const crypto::WipedAtEnd wiped(text);
  return sealed_to(to, text);
}

Result<SealedBody> Sealing::sealed_to(const PublicKey& to, std::string_view plaintext) {
  const crypto::DirectBox* box = to == own_.public_key() ? nullptr : box_with(to);
  if (box == nullptr) {
    return Error{ErrorCode::kForbidden, "bad_key: nothing can be sealed to this key"};
  }
  const Nonce nonce = nonces_.draw();
  return body_of(nonce, box->seal(plaintext, nonce));
}

Result<ChannelKey> Sealing::new_channel_key(std::string_view target) const {
  SIGNET_TRY([[maybe_unused]] const Done sound, check_target(target));
  return ChannelKey::generate({mesh_id_, target, own_.public_key()});
}

Result<SealedBody> Sealing::to_audience(std::string_view target, const ChannelKey& key,
                                        std::string_view text) const {
  SIGNET_TRY([[maybe_unused]] const Done known, check_target(target));
  SIGNET_TRY([[maybe_unused]] const Done sound, check_text(text));
  const Nonce nonce = fresh_nonce();
  return body_of(nonce, crypto::seal_channel_body(own_, key, mesh_id_, target, text, nonce));
}

Result<SealedBody> Sealing::in_the_clear(std::string_view text) {
  SIGNET_TRY([[maybe_unused]] const Done sound, check_text(text));
  if (crypto::has_channel_magic(text)) {
    return Error{ErrorCode::kMalformed, "text_reads_as_sealed: seal it, or begin it otherwise"};
  }
  return body_of(fresh_nonce(), text);
}

Opened Sealing::open(const PushedBody& push, const KeyLookup& key_of) {
  Opened opened;
  opened.kind = kind_of(push.target);
  const auto sender = crypto::public_key_from_hex(push.sender);
  if (!sender) return opened;
  opened.sender = *sender;
  if (*sender == own_.public_key()) {
    opened.body = BodyFault::kReflected;
  } else if (!push.mesh_id.empty() && push.mesh_id != mesh_id_) {
    opened.body = BodyFault::kMisdirected;
  } else if (is_audience(push.target)) {
    opened.body = open_audience(push, *sender, key_of);
  } else {
    opened.body = open_direct(push, *sender);
  }
  // A box that opens was sealed to this member, whatever the broker left out.
  const bool is_direct = !std::holds_alternative<BodyFault>(opened.body);
  if (opened.kind == MessageKind::kUnknown && is_direct) opened.kind = MessageKind::kDirect;
  return opened;
}

Body Sealing::open_direct(const PushedBody& push, const PublicKey& sender) {
  // A target of another form is no reason to try: a broker could show one box under any number.
  const bool is_mine = crypto::public_key_from_hex(push.target) == own_.public_key();
  if (!is_mine && !push.target.empty()) return BodyFault::kMisdirected;
  const auto nonce = nonce_of(push.nonce);
  const auto ciphertext = from_base64(push.ciphertext);
  if (!nonce || !ciphertext) return BodyFault::kMalformed;
  // The box is the same both ways: what this side sealed to the sender would open as the sender's.
  if (nonces_.is_own(*nonce)) return BodyFault::kReflected;
  const crypto::DirectBox* box = box_with(sender);
  auto plaintext = box != nullptr ? box->open(*ciphertext, *nonce) : std::nullopt;
  if (!plaintext) return BodyFault::kDoesNotOpen;
  return body_within(*std::move(plaintext), mesh_id_, sender);
}

Body Sealing::open_audience(const PushedBody& push, const PublicKey& sender,
                            const KeyLookup& key_of) const {
  auto bytes = from_base64(push.ciphertext);
  if (bytes && crypto::has_channel_magic(*bytes)) {
    return open_channel(push, *bytes, {mesh_id_, push.target, sender}, key_of);
  }
  // The rest of a channel body is no text either.
  const bool was_sealed = push.ciphertext.starts_with(crypto::kChannelMagic) ||
                          push.ciphertext.starts_with(kMagicInBase64);
  if (was_sealed) return BodyFault::kMalformed;
  return read_in_the_clear(push.ciphertext, std::move(bytes));
}

const crypto::DirectBox* Sealing::box_with(const PublicKey& peer) {
  if (const auto known = boxes_.find(peer); known != boxes_.end()) return &known->second;
  auto box = crypto::DirectBox::between(own_, peer);
  if (!box.ok()) return nullptr;
  if (boxes_.size() == kMaxBoxes) boxes_.clear();
  return &boxes_.emplace(peer, *std::move(box)).first->second;
}

}  // namespace signet::client
