#include "dialects/overlay_revocations.h"

#include <utility>

#include "base/encoding.h"
#include "dialects/overlay_members.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using membership::OperatorAction;
using membership::OperatorSignature;
using membership::OperatorStatement;
using wire::JsonKind;
using wire::JsonValue;

// A list, an entry, its signatures, each of them: and two to spare.
constexpr std::size_t kListDepth = 8;
constexpr std::size_t kValuesOfEntry = 8 + 4 * kMaxRevocationSigners;
constexpr wire::JsonLimits kListLimits{kListDepth, 16 + kMaxRevocations* kValuesOfEntry};

Error not_so(std::string_view member) { return {ErrorCode::kMalformed, std::string(member)}; }

std::optional<crypto::PublicKey> signer_in(JsonValue value) {
  const auto text = value.string();
  return text ? crypto::public_key_from_hex(*text) : std::nullopt;
}

std::optional<crypto::Signature> signature_in(JsonValue value) {
  const auto text = value.string();
  return text ? signature_of(*text) : std::nullopt;
}

Result<Revocation> read_entry(JsonValue value) {
  Revocation made;
  const auto statement = value["statement"].string();
  if (!statement) return not_so("entries.statement");
  made.statement = *statement;
  const JsonValue signatures = value["signatures"];
  const bool good = signatures.is(JsonKind::kArray) && signatures.size() > 0 &&
                    signatures.size() <= kMaxRevocationSigners;
  if (!good) return not_so("entries.signatures");
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const auto signer = signer_in(signatures[i]["signer"]);
    const auto signature = signature_in(signatures[i]["signature"]);
    if (!signer || !signature) return not_so("entries.signatures");
    made.signatures.push_back({*signer, *signature});
  }
  if (is_given(value["wireguard"])) {
    made.wireguard = key_of(value["wireguard"]);
    if (!made.wireguard) return not_so("entries.wireguard");
  }
  return made;
}

// Rising serials, none above the list's: an entry can't be there twice, nor come from the future.
Status check_entries(const RevocationList& list) {
  std::uint64_t before = 0;
  for (const Revocation& entry : list.entries) {
    const auto statement = OperatorStatement::of(entry.statement);
    const bool good = statement && statement->action == OperatorAction::kRevoke &&
                      statement->mesh == list.mesh && statement->serial > before &&
                      statement->serial <= list.serial;
    if (!good) return not_so("entries.statement");
    before = statement->serial;
  }
  return Done{};
}

}  // namespace

std::string text_to_sign(const RevocationList& list) {
  std::string text(kRevocationsDomain);
  text += list.mesh + '\n' + std::to_string(list.serial) + '\n' +
          std::to_string(list.entries.size()) + '\n';
  for (const Revocation& entry : list.entries) {
    text += entry.statement;
    text += entry.wireguard ? to_base64(*entry.wireguard) : "-";
    text += '\n' + std::to_string(entry.signatures.size()) + '\n';
    for (const OperatorSignature& each : entry.signatures) {
      text += crypto::to_hex(each.signer) + ' ' + to_hex(each.signature) + '\n';
    }
  }
  return text;
}

std::string write_revocations(const RevocationList& list) {
  wire::JsonWriter json;
  json.object().key("mesh").value(list.mesh).key("serial").value(list.serial);
  json.key("entries").array();
  for (const Revocation& entry : list.entries) {
    json.object().key("statement").value(entry.statement).key("signatures").array();
    for (const OperatorSignature& each : entry.signatures) {
      json.object().key("signer").value(crypto::to_hex(each.signer));
      json.key("signature").value(to_hex(each.signature)).end();
    }
    json.end();
    if (entry.wireguard) json.key("wireguard").value(to_base64(*entry.wireguard));
    json.end();
  }
  json.end().key("signer").value(crypto::to_hex(list.signer));
  json.key("signature").value(to_hex(list.signature)).end();
  return json.take();
}

Result<RevocationList> read_revocations(std::string_view body) {
  if (body.size() > kMaxRevocationsBytes) return not_so("body");
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body, kListLimits));
  const JsonValue root = document.root();
  RevocationList list;
  const auto mesh = root["mesh"].string();
  const auto serial = serial_in(root["serial"]);
  const auto signer = signer_in(root["signer"]);
  const auto signature = signature_in(root["signature"]);
  const JsonValue entries = root["entries"];
  if (!mesh || !is_printable(*mesh, OperatorStatement::kMaxMesh)) return not_so("mesh");
  if (!serial) return not_so("serial");
  if (!signer) return not_so("signer");
  if (!signature) return not_so("signature");
  if (!entries.is(JsonKind::kArray) || entries.size() > kMaxRevocations) return not_so("entries");
  list.mesh = *mesh;
  list.serial = *serial;
  list.signer = *signer;
  list.signature = *signature;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    SIGNET_TRY(Revocation each, read_entry(entries[i]));
    list.entries.push_back(std::move(each));
  }
  SIGNET_TRY([[maybe_unused]] const Done good, check_entries(list));
  return list;
}

bool verifies(const RevocationList& list) {
  return crypto::verify(list.signer, bytes_of(text_to_sign(list)), list.signature);
}

}  // namespace signet::dialects
