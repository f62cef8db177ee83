#include "dialects/overlay_operators.h"

#include <utility>

#include "dialects/overlay_members.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using membership::OperatorStatement;
using wire::JsonKind;
using wire::JsonValue;

constexpr std::size_t kMaxStatementText = 1'024;  // seven lines, the longest at its bound
constexpr std::size_t kMaxHeldNames = 100'000;    // nodes of a mesh
constexpr wire::JsonLimits kStatementLimits{8, 1'024};
constexpr wire::JsonLimits kOperatorsLimits{8, kMaxHeldNames + 1'024};

Error lacks(std::string_view member) { return {ErrorCode::kMalformed, std::string(member)}; }

std::optional<crypto::PublicKey> key_in(JsonValue value) {
  const auto text = value.string();
  return text ? crypto::public_key_from_hex(*text) : std::nullopt;
}

// What the answer of another program holds has to be short, and a name.
Status read_held(JsonValue root, OperatorsShown& shown) {
  const auto held = serial_in(root["held"]);
  const auto digest = root["held_digest"].string();
  const bool good = held && *held <= kMaxHeldNames && digest &&
                    (digest->empty() || crypto::public_key_from_hex(*digest));
  if (!good) return lacks("held");
  shown.held = static_cast<std::size_t>(*held);
  shown.held_digest = *digest;
  const JsonValue names = root["held_names"];
  if (!names) return Done{};
  if (!names.is(JsonKind::kArray) || names.size() > kMaxHeldNames) return lacks("held_names");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto name = names[i].string();
    if (!name || !overlay::is_node_name(*name)) return lacks("held_names");
    shown.held_names.emplace_back(*name);
  }
  return Done{};
}

}  // namespace

Result<membership::SignedStatement> read_signed_statement(std::string_view body) {
  if (body.size() > kMaxStatementBody) return lacks("body");
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body, kStatementLimits));
  const JsonValue root = document.root();
  const auto text = root["statement"].string();
  if (!text || text->empty() || text->size() > kMaxStatementText) return lacks("statement");
  const JsonValue signatures = root["signatures"];
  const bool is_list =
      signatures.is(JsonKind::kArray) && signatures.size() <= kMaxStatementSignatures;
  if (!is_list) return lacks("signatures");
  membership::SignedStatement said{std::string(*text), {}};
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const auto signer = key_in(signatures[i]["signer"]);
    const auto hex = signatures[i]["signature"].string();
    const auto signature = hex ? signature_of(*hex) : std::nullopt;
    if (!signer) return lacks("signatures.signer");
    if (!signature) return lacks("signatures.signature");
    said.signatures.push_back({*signer, *signature});
  }
  return said;
}

std::string write_signed_statement(const membership::SignedStatement& said) {
  wire::JsonWriter json;
  json.object().key("statement").value(said.text).key("signatures").array();
  for (const membership::OperatorSignature& each : said.signatures) {
    json.object().key("signer").value(crypto::to_hex(each.signer));
    json.key("signature").value(to_hex(each.signature)).end();
  }
  json.end().end();
  return json.take();
}

int status_of(StatementRefusal refusal) {
  switch (refusal) {
    case StatementRefusal::kMalformed:
    case StatementRefusal::kWrongMesh:
    case StatementRefusal::kExpired:
    case StatementRefusal::kTooLongLived:
      return 422;
    case StatementRefusal::kUnknownSigner:
    case StatementRefusal::kDuplicateSigner:
    case StatementRefusal::kBadSignature:
    case StatementRefusal::kTooFewSignatures:
      return 403;
    case StatementRefusal::kUnknownTarget:
      return 404;
    case StatementRefusal::kStalePolicy:
    case StatementRefusal::kStaleSerial:
    case StatementRefusal::kNoOperators:
    case StatementRefusal::kAlreadySo:
    case StatementRefusal::kNotPossible:
    case StatementRefusal::kNotHeld:
      return 409;
    case StatementRefusal::kUnavailable:
      return 503;
  }
  return 500;
}

std::string write_carried_out(std::uint64_t serial, membership::OperatorAction action) {
  wire::JsonWriter json;
  json.object().key("status").value("done").key("serial").value(serial);
  json.key("action").value(name_of(action)).end();
  return json.take();
}

std::string write_operators(const OperatorsShown& shown) {
  wire::JsonWriter json;
  const auto number = [](std::size_t value) { return static_cast<std::uint64_t>(value); };
  json.object().key("mesh").value(shown.mesh).key("operators").array();
  for (const crypto::PublicKey& each : shown.operators) json.value(crypto::to_hex(each));
  json.end().key("needed").value(number(shown.needed)).key("emergency").value(shown.emergency);
  json.key("serial").value(shown.serial).key("policy_version").value(shown.policy_version);
  json.key("longest_life_ms").value(shown.longest_life_ms);
  json.key("held").value(number(shown.held)).key("held_digest").value(shown.held_digest);
  if (!shown.held_names.empty()) {
    json.key("held_names").array();
    for (const std::string& name : shown.held_names) json.value(name);
    json.end();
  }
  json.end();
  return json.take();
}

Result<OperatorsShown> read_operators(std::string_view body) {
  if (body.size() > kMaxOperatorsBody) return lacks("body");
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body, kOperatorsLimits));
  const JsonValue root = document.root();
  OperatorsShown shown;
  const auto mesh = root["mesh"].string();
  if (!mesh || !is_printable(*mesh, OperatorStatement::kMaxMesh)) return lacks("mesh");
  shown.mesh = *mesh;
  const JsonValue operators = root["operators"];
  const bool is_list =
      operators.is(JsonKind::kArray) && operators.size() <= kMaxStatementSignatures;
  if (!is_list) return lacks("operators");
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const auto key = key_in(operators[i]);
    if (!key) return lacks("operators");
    shown.operators.push_back(*key);
  }
  const auto needed = serial_in(root["needed"]), serial = serial_in(root["serial"]);
  const auto policy = serial_in(root["policy_version"]);
  const auto emergency = root["emergency"].boolean();
  const auto life = root["longest_life_ms"].integer();
  const bool good = needed && *needed <= shown.operators.size() && serial && policy && emergency &&
                    life && *life >= 0;
  if (!good) return lacks("needed, serial, policy_version, emergency or longest_life_ms");
  shown.needed = static_cast<std::size_t>(*needed);
  shown.serial = *serial;
  shown.policy_version = *policy;
  shown.emergency = *emergency;
  shown.longest_life_ms = *life;
  SIGNET_TRY([[maybe_unused]] const Done held, read_held(root, shown));
  return shown;
}

}  // namespace signet::dialects
