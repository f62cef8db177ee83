// The node's half: what it was answered when it asked for its configuration.
#include "base/encoding.h"
#include "dialects/overlay.h"
#include "dialects/overlay_members.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;

Error malformed(std::string_view member) { return {ErrorCode::kMalformed, std::string(member)}; }

std::optional<std::uint64_t> epoch_in(JsonValue value) {
  const auto epoch = value.integer();
  if (!epoch || *epoch < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*epoch);
}

// Null says that there is none; a value that is no T says nothing that is known.
template <class T, class Read>
bool read_optional(JsonValue value, const Read& read, std::optional<T>& out) {
  if (value.is(JsonKind::kNull)) return true;
  out = read(value);
  return out.has_value();
}

std::optional<WallTime> time_in(JsonValue value) {
  const auto text = value.string();
  return text ? read_overlay_time(*text) : std::nullopt;
}

Result<OverlaySealed> read_sealed(JsonValue value) {
  const auto epoch = epoch_in(value["epoch_id"]);
  const auto text = value["box"].string();
  auto box = text ? from_base64(*text) : std::nullopt;
  if (!epoch || !box) return malformed("keys.sealed");
  return OverlaySealed{*epoch, *std::move(box)};
}

Result<OverlayKeys> read_keys(JsonValue value) {
  OverlayKeys keys;
  const auto current = epoch_in(value["current"]);
  if (!current) return malformed("keys.current");
  keys.offer.current = *current;
  if (!read_optional(value["next"], epoch_in, keys.offer.next)) return malformed("keys.next");
  if (!read_optional(value["moment_utc"], time_in, keys.offer.moment)) {
    return malformed("keys.moment_utc");
  }
  if (!read_optional(value["previous"], epoch_in, keys.offer.previous)) {
    return malformed("keys.previous");
  }
  const JsonValue sealed = value["sealed"];
  if (!sealed.is(JsonKind::kArray) || sealed.size() > kMaxSealed) return malformed("keys.sealed");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    SIGNET_TRY(OverlaySealed each, read_sealed(sealed[i]));
    keys.sealed.push_back(std::move(each));
  }
  return keys;
}

}  // namespace

Result<OverlayConfig> read_config(std::string_view body) {
  if (body.size() > kMaxConfigBytes) return malformed("body");
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  const JsonValue root = document.root();
  const auto node = root["node_id"].string();
  const auto epoch = epoch_in(root["epoch_id"]);
  const auto reason = root["reason"].string();
  if (!node || !overlay::is_node_name(*node)) return malformed("node_id");
  if (!epoch) return malformed("epoch_id");
  if (!reason) return malformed("reason");
  OverlayConfig config{std::string(*node), *epoch, {}, std::string(*reason), {}, 0};
  const auto boolean_in = [](JsonValue value) { return value.boolean(); };
  if (!read_optional(root["allowed"], boolean_in, config.allowed)) return malformed("allowed");
  if (root["keys"]) {
    SIGNET_TRY(config.keys, read_keys(root["keys"]));
  }
  if (root["revocations"]) {
    const auto serial = serial_in(root["revocations"]);
    if (!serial) return malformed("revocations");
    config.revocations = *serial;
  }
  return config;
}

}  // namespace signet::dialects
