#include "dialects/simpatico.h"

#include <algorithm>

#include "base/characters.h"
#include "base/overloaded.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

constexpr std::string_view kOwnFolder = "/relay/";
constexpr std::size_t kKeyTextBytes = 43;  // 32 bytes in base64url

bool is_key_segment(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return text.size() == kKeyTextBytes && std::all_of(text.begin(), text.end(), is_digit);
}

bool has_parameter(std::string_view query, std::string_view parameter) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (query.substr(0, end) == parameter) return true;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

// What a peer sent, for a sentence that its user may read: of bounded length, nothing in it acts.
std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty() && out.size() < kMaxShownTypeBytes) {
    const Character character = first_character(text);
    if (!character.broken && is_printable(character.code)) {
      out.append(text.substr(0, character.size));
    } else {
      append_escaped(out, character.code);
    }
    text.remove_prefix(character.size);
  }
  if (!text.empty()) out += "...";
  return out;
}

std::string text_of_type(std::string_view type) {
  return JsonWriter().object().key("type").value(type).end().take();
}

// The object's own text with one member set: the value of `name` exchanged where it is, else added
// at the end. Every other byte stays. What is no object can't be echoed: a new one, `otherwise`.
std::string with_member(std::string_view object, std::string_view name, std::string_view value,
                        std::string_view otherwise) {
  wire::JsonDocument document;
  const bool is_object = document.parse(object).ok() && document.root().is(JsonKind::kObject);
  JsonWriter alone;
  if (!is_object) return alone.object().key(name).value(otherwise).end().take();
  const JsonValue root = document.root();
  std::string text(root.raw());
  std::string quoted;
  wire::append_json_string(quoted, value);
  if (const JsonValue old = root[name]) {
    const auto at = static_cast<std::size_t>(old.raw().data() - root.raw().data());
    return text.replace(at, old.raw().size(), quoted);
  }
  text.pop_back();
  if (root.size() > 0) text += ',';
  wire::append_json_string(text, name);
  return text.append(":").append(quoted).append("}");
}

std::string write_challenge(const Challenge& challenge) {
  JsonWriter frame;
  frame.object().key("type").value("CHALLENGE").key("from").value(challenge.server_key);
  frame.key("nonce").value(challenge.nonce).key("challengeText").value(challenge.text);
  return frame.end().take();
}

std::string write_register_refused(const RegisterRefused& refused) {
  std::string reason(meaning_of(refused.code));
  if (!refused.detail.empty()) reason.append(": ").append(refused.detail);
  JsonWriter frame;
  frame.object().key("type").value("REGISTER_FAILURE");
  frame.key("error").value("Registration failed: " + reason).key("reason").value(reason);
  return frame.end().take();
}

std::string write_relay_refused(const RelayRefused& refused) {
  const auto no_envelope = signet::name_of(RelayRefusal::kMissingTypeMessage);
  return with_member(refused.envelope, "error", signet::name_of(refused.code), no_envelope);
}

}  // namespace

std::optional<Opening> Simpatico::opens(std::string_view path, std::string_view query) const {
  const OpensRelay relay{has_parameter(query, "receipts=1")};
  if (path.starts_with(kOwnFolder)) {
    const std::string_view key = path.substr(kOwnFolder.size());
    if (key.empty() || is_key_segment(key)) return relay;
    return BadPath{"relay path is no key"};
  }
  if (path.starts_with('/') && is_key_segment(path.substr(1))) return relay;
  return std::nullopt;
}

Verb Simpatico::read(std::string_view frame, Stage stage) {
  const bool is_object = document_.parse(frame).ok() && document_.root().is(JsonKind::kObject);
  if (stage == Stage::kUnproven) {
    return is_object ? read_response() : BadRegistration{RegisterRefusal::kMalformed, {}};
  }
  if (!is_object) return Misspoken{Refusal::kBadFrame, "no object", {}, false};
  const JsonValue root = document_.root();
  // Whether there is a message, and never what it says.
  const bool has_content = !root["message"].string().value_or("").empty();
  return RelayEnvelope{root["from"].string().value_or(""), root["to"].string().value_or(""),
                       root["type"].string() == "MESSAGE", has_content};
}

Verb Simpatico::read_response() {
  const JsonValue root = document_.root();
  const auto type = root["type"].string();
  if (!type) return BadRegistration{RegisterRefusal::kMalformed, {}};
  if (*type != "CHALLENGE_RESPONSE") {
    shown_type_ = shown(*type);
    return BadRegistration{RegisterRefusal::kUnexpectedType, shown_type_};
  }
  const auto from = root["from"].string();
  const auto to = root["to"].string();
  const auto nonce = root["nonce"].string();
  const auto message = root["message"].string();
  if (from && to && nonce && message) return ChallengeResponse{{*from, *to, *nonce, *message}};
  const bool is_older_draft = root["signedNonce"] && !root["message"];
  return BadRegistration{
      is_older_draft ? RegisterRefusal::kUnsupportedResponse : RegisterRefusal::kMalformed, {}};
}

std::string Simpatico::write(const Reply& reply) const {
  return std::visit(
      Overloaded{
          [](const Challenge& r) { return write_challenge(r); },
          [](const Registered&) { return text_of_type("REGISTER_SUCCESS"); },
          [](const RegisterRefused& r) { return write_register_refused(r); },
          [](const RelayRefused& r) { return write_relay_refused(r); },
          [](const RelayDelivered& r) {
            return with_member(r.envelope, "type", "MESSAGE_DELIVERED", "");
          },
          [](const auto&) { return std::string(); },  // a reply that this format lacks
      },
      reply);
}

}  // namespace signet::dialects
