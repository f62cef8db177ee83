#include "membership/operator_statement.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/encoding.h"
#include "crypto/mac.h"

namespace signet::membership {
namespace {

constexpr std::string_view kDomain = "signet-operator-v1";
constexpr std::string_view kDenialsDomain = "signet-denials-v1\n";
constexpr std::array<std::string_view, kOperatorActionCount> kActionNames{
    "revoke",       "deny_many",       "threshold", "policy_owner",
    "operator_add", "operator_remove", "quorum",    "rekey"};
constexpr std::size_t kKeyDigits = 64;        // of a key or a digest
constexpr std::size_t kMostQuorumDigits = 3;  // nobody asks a thousand operators

// ASCII that can be seen, and no space at an end: what an operator reads is what is signed.
bool is_plain(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most || text.front() == ' ' || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_lower_hex(std::string_view text) {
  return text.size() == kKeyDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// 0.00 to 1.00, with two decimals, or up to six where the last is no zero.
bool is_threshold(std::string_view text) {
  if (text.size() < 4 || text.size() > 8 || text[1] != '.' || (text[0] != '0' && text[0] != '1')) {
    return false;
  }
  const std::string_view decimals = text.substr(2);
  if (!is_digits(decimals) || (decimals.size() > 2 && decimals.back() == '0')) return false;
  return text[0] == '0' || decimals == "00";
}

bool is_quorum(std::string_view text) {
  return is_digits(text) && text.size() <= kMostQuorumDigits && text.front() != '0';
}

bool is_rekey(std::string_view text) {
  const std::size_t space = text.find(' ');
  return space != std::string_view::npos && is_lower_hex(text.substr(space + 1));
}

bool fits(OperatorAction action, std::string_view target) {
  switch (action) {
    case OperatorAction::kRevoke:
      return true;
    case OperatorAction::kThreshold:
      return is_threshold(target);
    case OperatorAction::kQuorum:
      return is_quorum(target);
    case OperatorAction::kRekey:
      return is_rekey(target);
    case OperatorAction::kDenyMany:
    case OperatorAction::kPolicyOwner:
    case OperatorAction::kOperatorAdd:
    case OperatorAction::kOperatorRemove:
      return is_lower_hex(target);
  }
  return false;
}

// The line up to its end, which it must have.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

template <typename Number>
bool take_number(std::string_view& rest, Number& number) {
  const auto line = take_line(rest);
  if (!line) return false;
  const char* const end = line->data() + line->size();
  const auto [stopped, error] = std::from_chars(line->data(), end, number);
  return error == std::errc() && stopped == end;
}

bool take_text(std::string_view& rest, std::string& text) {
  const auto line = take_line(rest);
  if (line) text = *line;
  return line.has_value();
}

std::optional<StatementRefusal> check_terms(const OperatorStatement& statement,
                                            std::string_view mesh, const OperatorQuorum& quorum,
                                            WallTime now) {
  if (!statement.is_well_formed()) return StatementRefusal::kMalformed;
  if (statement.mesh != mesh) return StatementRefusal::kWrongMesh;
  if (now >= statement.expires) return StatementRefusal::kExpired;
  if (statement.expires > now + quorum.longest_life) return StatementRefusal::kTooLongLived;
  if (statement.policy_version != quorum.policy_version) return StatementRefusal::kStalePolicy;
  if (statement.serial <= quorum.last_serial) return StatementRefusal::kStaleSerial;
  return std::nullopt;
}

std::optional<StatementRefusal> check_signers(const std::vector<OperatorSignature>& signatures,
                                              const OperatorQuorum& quorum) {
  const std::set<crypto::PublicKey> operators(quorum.operators.begin(), quorum.operators.end());
  std::set<crypto::PublicKey> signers;
  bool twice = false;
  for (const OperatorSignature& each : signatures) {
    if (!operators.contains(each.signer)) return StatementRefusal::kUnknownSigner;
    twice |= !signers.insert(each.signer).second;
  }
  if (twice) return StatementRefusal::kDuplicateSigner;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(OperatorAction action) {
  return kActionNames[static_cast<std::size_t>(action)];
}

std::optional<OperatorAction> action_of(std::string_view name) {
  const auto found = std::find(kActionNames.begin(), kActionNames.end(), name);
  if (found == kActionNames.end()) return std::nullopt;
  return static_cast<OperatorAction>(found - kActionNames.begin());
}

std::string OperatorStatement::text() const {
  std::string out(kDomain);
  for (const std::string_view line :
       {std::string_view(mesh), name_of(action), std::string_view(target)}) {
    out += '\n';
    out += line;
  }
  return out + '\n' + std::to_string(serial) + '\n' + std::to_string(policy_version) + '\n' +
         std::to_string(expires.ms) + '\n';
}

std::optional<OperatorStatement> OperatorStatement::of(std::string_view text) {
  OperatorStatement made;
  std::string_view rest = text;
  if (take_line(rest) != kDomain || !take_text(rest, made.mesh)) return std::nullopt;
  const auto name = take_line(rest);
  const auto action = name ? action_of(*name) : std::nullopt;
  if (!action) return std::nullopt;
  made.action = *action;
  if (!take_text(rest, made.target) || !take_number(rest, made.serial) ||
      !take_number(rest, made.policy_version) || !take_number(rest, made.expires.ms)) {
    return std::nullopt;
  }
  // Printed again: leading zeros and whatever follows are no statement.
  if (!made.is_well_formed() || made.text() != text) return std::nullopt;
  return made;
}

bool OperatorStatement::is_well_formed() const {
  return is_plain(mesh, kMaxMesh) && is_plain(target, kMaxTarget) && fits(action, target) &&
         expires.ms >= 0;
}

std::string digest_of_denials(const std::vector<std::string>& names) {
  std::string text(kDenialsDomain);
  for (const std::string& name : names) {
    text += name;
    text += '\n';
  }
  return to_hex(crypto::sha256({text}));
}

std::optional<StatementRefusal> check(const OperatorStatement& statement,
                                      const std::vector<OperatorSignature>& signatures,
                                      std::string_view mesh, const OperatorQuorum& quorum,
                                      WallTime now) {
  if (const auto refusal = check_terms(statement, mesh, quorum, now)) return refusal;
  if (const auto refusal = check_signers(signatures, quorum)) return refusal;
  const std::string text = statement.text();
  for (const OperatorSignature& each : signatures) {
    if (!crypto::verify(each.signer, bytes_of(text), each.signature)) {
      return StatementRefusal::kBadSignature;
    }
  }
  const std::size_t needed = quorum.emergency ? 1 : std::max<std::size_t>(quorum.needed, 1);
  if (signatures.size() < needed) return StatementRefusal::kTooFewSignatures;
  return std::nullopt;
}

}  // namespace signet::membership
