#include "client/key_message.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "crypto/wipe.h"

namespace signet::client {
namespace {

using namespace std::string_view_literals;

// A key message is JSON in one spelling only: these members in this order, no spaces, no escapes.
// So it is read by its pieces, and no parser keeps a copy of the key that nobody wipes.
constexpr std::string_view kPrefix = "\0signet/1 "sv;
constexpr std::string_view kGrantHead = R"({"kind":"channel_key","target":")";
constexpr std::string_view kRequestHead = R"({"kind":"key_request","target":")";
constexpr std::string_view kIdHead = R"(","keyId":")";
constexpr std::string_view kKeyHead = R"(","key":")";
constexpr std::string_view kEnd = R"("})";
constexpr std::size_t kMaxNameBytes = 64;  // of a channel or a tag
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kKeyDigits = 44;

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           "._-:/"sv.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, allowed);
}

bool take(std::string_view& rest, std::string_view piece) {
  if (!rest.starts_with(piece)) return false;
  rest.remove_prefix(piece.size());
  return true;
}

std::string_view take_upto(std::string_view& rest, std::size_t bytes) {
  const std::string_view taken = rest.substr(0, bytes);
  rest.remove_prefix(taken.size());
  return taken;
}

// The target up to its closing quote; nullopt when it is no audience.
std::optional<std::string> take_target(std::string_view& rest) {
  const std::string_view target = take_upto(rest, rest.find('"'));
  if (!is_audience(target)) return std::nullopt;
  return std::string(target);
}

std::optional<crypto::ChannelKeyId> take_id(std::string_view& rest) {
  crypto::ChannelKeyId id{};
  const std::string_view digits = take_upto(rest, kIdDigits);
  if (!from_hex(digits, id) || to_hex(id) != digits) return std::nullopt;
  return id;
}

std::optional<crypto::ChannelKey> take_key(std::string_view& rest,
                                           const crypto::ChannelScope& scope) {
  auto decoded = from_base64(take_upto(rest, kKeyDigits));
  if (!decoded) return std::nullopt;
  const crypto::WipedAtEnd wiped(*decoded);
  crypto::ChannelKeyBytes bytes{};
  if (decoded->size() != bytes.size()) return std::nullopt;
  std::ranges::copy(bytes_of(*decoded), bytes.begin());
  auto key = crypto::ChannelKey::from_bytes(bytes, scope);
  crypto::wipe(bytes);
  return key;
}

std::string start_of(std::string_view head, std::string_view target,
                     const crypto::ChannelKeyId& id) {
  std::string text;
  text.reserve(kMaxKeyMessageBytes);  // so that no piece with a key in it is left behind by growth
  return text.append(kPrefix).append(head).append(target).append(kIdHead).append(to_hex(id));
}

std::optional<KeyMessage> read(std::string_view rest, std::string_view mesh_id,
                               const crypto::PublicKey& sender) {
  if (rest.size() > kMaxKeyMessageBytes || !take(rest, kPrefix)) return std::nullopt;
  const bool is_grant = take(rest, kGrantHead);
  if (!is_grant && !take(rest, kRequestHead)) return std::nullopt;
  auto target = take_target(rest);
  if (!target || !take(rest, kIdHead)) return std::nullopt;
  const auto id = take_id(rest);
  if (!id) return std::nullopt;
  if (!is_grant) {
    if (rest != kEnd) return std::nullopt;
    return KeyRequest{*std::move(target), *id};
  }
  if (!take(rest, kKeyHead)) return std::nullopt;
  auto key = take_key(rest, {mesh_id, *target, sender});
  if (!key || key->id() != *id || rest != kEnd) return std::nullopt;
  return KeyGrant{*std::move(target), *std::move(key)};
}

}  // namespace

bool is_audience(std::string_view target) {
  if (target == "*") return true;
  return take(target, "#") ? is_name(target) : take(target, "tag:") && is_name(target);
}

std::string write_key_message(const KeyGrant& grant) {
  std::string text = start_of(kGrantHead, grant.target, grant.key.id());
  auto bytes = grant.key.bytes();
  std::string key = to_base64(bytes);
  text.append(kKeyHead).append(key).append(kEnd);
  crypto::wipe(bytes);
  crypto::wipe(key);
  return text;
}

std::string write_key_message(const KeyRequest& request) {
  return start_of(kRequestHead, request.target, request.key_id).append(kEnd);
}

Result<KeyMessage> read_key_message(std::string_view plaintext, std::string_view mesh_id,
                                    const crypto::PublicKey& sender) {
  auto message = read(plaintext, mesh_id, sender);
  if (!message) return Error{ErrorCode::kMalformed, "key_message_malformed"};
  return *std::move(message);
}

}  // namespace signet::client
