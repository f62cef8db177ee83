#include "controller/operator_record.h"

#include <charconv>

#include "base/encoding.h"

namespace signet::controller {
namespace {

using membership::OperatorSignature;
using membership::OperatorStatement;

constexpr std::string_view kQuorumDomain = "signet-quorum-v1\n";
constexpr std::string_view kKeptDomain = "signet-statement-v1\n";
constexpr std::string_view kNone = "-";
constexpr std::size_t kMostDenials = 100'000;  // nodes of a mesh
constexpr std::size_t kStatementLines = 7;

template <class Number>
std::optional<Number> whole_in(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes lines and numbers off a text; what is missing makes all of it bad.
class RecordLines {
 public:
  explicit RecordLines(std::string_view text) : rest_(text) {}

  void fail() { good_ = false; }
  bool good() const { return good_; }
  bool ended() const { return good_ && rest_.empty(); }

  void domain(std::string_view domain) {
    good_ = good_ && rest_.starts_with(domain);
    if (good_) rest_.remove_prefix(domain.size());
  }
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) good_ = false;
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }
  std::string lines(std::size_t count) {
    std::string taken;
    for (std::size_t i = 0; i < count && good_; ++i) taken.append(line()).append(1, '\n');
    return taken;
  }
  template <class Number>
  Number number() {
    const auto found = whole_in<Number>(line());
    good_ = good_ && found.has_value();
    return found.value_or(0);
  }
  std::size_t count(std::size_t most) {
    const auto found = number<std::size_t>();
    good_ = good_ && found <= most;
    return good_ ? found : 0;
  }
  crypto::PublicKey key(std::string_view hex) {
    const auto found = crypto::public_key_from_hex(hex);
    good_ = good_ && found.has_value();
    return found.value_or(crypto::PublicKey{});
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::string line_of(std::string_view text) { return std::string(text) + '\n'; }
template <class Number>
std::string line_of_number(Number number) {
  return std::to_string(number) + '\n';
}

OperatorSignature signature_in(RecordLines& in) {
  const std::string_view text = in.line();
  const std::size_t space = text.find(' ');
  OperatorSignature made{in.key(text.substr(0, space)), {}};
  const bool is_whole =
      space != std::string_view::npos && from_hex(text.substr(space + 1), made.signature);
  if (!is_whole) in.fail();
  return made;
}

std::optional<overlay::WireGuardKey> wireguard_in(RecordLines& in) {
  const std::string_view text = in.line();
  if (text == kNone) return std::nullopt;
  return in.key(text).bytes;
}

bool is_sound(const QuorumState& state) {
  const std::set<crypto::PublicKey> distinct(state.operators.begin(), state.operators.end());
  return distinct.size() == state.operators.size() && state.needed >= 1 &&
         state.needed <= state.operators.size() && state.policy_version >= 1 &&
         (!state.threshold || (state.threshold->millionths >= 0 &&
                               state.threshold->millionths <= overlay::Score::kOne));
}

}  // namespace

std::string encode(const QuorumState& state) {
  std::string out(kQuorumDomain);
  out += line_of_number(state.needed) + line_of_number(state.last_serial) +
         line_of_number(state.policy_version);
  out += line_of(state.threshold ? std::to_string(state.threshold->millionths) : kNone);
  out += line_of(state.owner ? crypto::to_hex(*state.owner) : kNone);
  out += line_of_number(state.operators.size());
  for (const crypto::PublicKey& each : state.operators) out += line_of(crypto::to_hex(each));
  out += line_of_number(state.may_deny.size());
  for (const std::string& name : state.may_deny) out += line_of(name);
  return out;
}

// Written again and compared: a record has one text, so that half of one is none.
std::optional<QuorumState> decode_quorum(std::string_view text) {
  RecordLines in(text);
  in.domain(kQuorumDomain);
  QuorumState made;
  made.needed = in.number<std::size_t>();
  made.last_serial = in.number<std::uint64_t>();
  made.policy_version = in.number<std::uint64_t>();
  if (const std::string_view threshold = in.line(); threshold != kNone) {
    made.threshold = overlay::Score{whole_in<std::int32_t>(threshold).value_or(-1)};
  }
  if (const std::string_view owner = in.line(); owner != kNone) made.owner = in.key(owner);
  const std::size_t operators = in.count(kMostOperators);
  for (std::size_t i = 0; i < operators && in.good(); ++i) {
    made.operators.push_back(in.key(in.line()));
  }
  const std::size_t names = in.count(kMostDenials);
  for (std::size_t i = 0; i < names && in.good(); ++i) made.may_deny.emplace(in.line());
  if (!in.ended() || !is_sound(made) || encode(made) != text) return std::nullopt;
  return made;
}

std::string encode(const KeptStatement& kept) {
  std::string out(kKeptDomain);
  out += kept.statement.text() + line_of_number(kept.at.ms) + line_of(kept.emergency ? "1" : "0");
  out += line_of(kept.wireguard ? to_hex(*kept.wireguard) : kNone);
  out += line_of_number(kept.signatures.size());
  for (const OperatorSignature& each : kept.signatures) {
    out += line_of(crypto::to_hex(each.signer) + ' ' + to_hex(each.signature));
  }
  return out;
}

std::optional<KeptStatement> decode_statement(std::string_view text) {
  RecordLines in(text);
  in.domain(kKeptDomain);
  const auto statement = OperatorStatement::of(in.lines(kStatementLines));
  if (!statement) return std::nullopt;
  KeptStatement made;
  made.statement = *statement;
  made.at.ms = in.number<std::int64_t>();
  made.emergency = in.line() == "1";
  made.wireguard = wireguard_in(in);
  const std::size_t signatures = in.count(kMostOperators);
  for (std::size_t i = 0; i < signatures && in.good(); ++i) {
    made.signatures.push_back(signature_in(in));
  }
  if (!in.ended() || encode(made) != text) return std::nullopt;
  return made;
}

}  // namespace signet::controller
