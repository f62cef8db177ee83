#include "overlay/record.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <type_traits>

namespace signet::overlay {
namespace {

constexpr std::uint64_t kLayout = 1;
// Of a node: 2 has also who brought it and when it last claimed its keys, 3 whom it was before, 4
// what its namesake was. Of a judgement: 2 has also whom the node was before, 3 the namesake.
constexpr std::uint64_t kClaimLayout = 2;
constexpr std::uint64_t kSuccessionLayout = 3;
constexpr std::uint64_t kNodeLayout = 4;
constexpr std::uint64_t kJudgedSuccessionLayout = 2;
constexpr std::uint64_t kJudgementLayout = 3;
constexpr std::size_t kMaxItems = 100'000;  // of a map: more is no record of ours

// One list of fields for each record serves both ways: BytesOut writes what it is shown, BytesIn
// fills it. Numbers are 8 bytes little-endian, texts come after their length.
class BytesOut {
 public:
  static constexpr bool kReads = false;
  void number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      out_ += static_cast<char>(static_cast<unsigned char>(value >> shift));
    }
  }
  void text(const std::string& text) {
    number(text.size());
    out_ += text;
  }
  template <std::size_t N>
  void raw(const std::array<unsigned char, N>& bytes) {
    out_ += text_of(bytes);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class BytesIn {
 public:
  static constexpr bool kReads = true;
  explicit BytesIn(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::array<unsigned char, 8> bytes{};
    raw(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | bytes[i - 1];
    return value;
  }
  std::string text() {
    const std::uint64_t size = number();
    return std::string(take(size));
  }
  template <std::size_t N>
  void raw(std::array<unsigned char, N>& bytes) {
    const std::string_view from = take(N);
    if (from.size() == N) std::copy(from.begin(), from.end(), bytes.begin());
  }
  void fail() { good_ = false; }
  bool ended_well() const { return good_ && rest_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view take(std::uint64_t size) {
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

// A whole number of type T that the record holds as 64 bits: signed ones as their two's complement.
template <class Bytes, class T>
void whole(Bytes& bytes, T& value) {
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  if constexpr (Bytes::kReads) {
    const auto wide = static_cast<Wide>(bytes.number());
    value = static_cast<T>(wide);
    if (static_cast<Wide>(value) != wide) bytes.fail();
  } else {
    bytes.number(static_cast<std::uint64_t>(static_cast<Wide>(value)));
  }
}

template <class Bytes>
void flag(Bytes& bytes, bool& value) {
  std::uint8_t number = value ? 1 : 0;
  whole(bytes, number);
  if constexpr (Bytes::kReads) {
    if (number > 1) bytes.fail();
    value = number == 1;
  }
}

template <class Bytes>
void text(Bytes& bytes, std::string& value) {
  if constexpr (Bytes::kReads) {
    value = bytes.text();
  } else {
    bytes.text(value);
  }
}

template <class Bytes>
void time(Bytes& bytes, WallTime& value) {
  whole(bytes, value.ms);
}

template <class Bytes>
void score(Bytes& bytes, Score& value) {
  whole(bytes, value.millionths);
  if constexpr (Bytes::kReads) {
    if (value.millionths < 0 || value.millionths > Score::kOne) bytes.fail();
  }
}

template <class Bytes, class Enum>
void choice(Bytes& bytes, Enum& value, Enum last) {
  auto number = static_cast<std::uint8_t>(value);
  whole(bytes, number);
  if constexpr (Bytes::kReads) {
    if (number > static_cast<std::uint8_t>(last)) return bytes.fail();
    value = static_cast<Enum>(number);
  }
}

template <class Bytes>
void milliseconds(Bytes& bytes, std::chrono::milliseconds& value) {
  std::int64_t count = value.count();
  whole(bytes, count);
  value = std::chrono::milliseconds(count);
}

// `inner` is called with what the optional holds.
template <class Bytes, class T, class Inner>
void maybe(Bytes& bytes, std::optional<T>& value, const Inner& inner) {
  bool there = value.has_value();
  flag(bytes, there);
  if constexpr (Bytes::kReads) value = there ? std::optional<T>(T{}) : std::nullopt;
  if (value) inner(*value);
}

// Items by rising key; `inner` is called with each.
template <class Bytes, class T, class Inner>
void items(Bytes& bytes, std::map<std::string, T, std::less<>>& value, const Inner& inner) {
  std::uint64_t count = value.size();
  whole(bytes, count);
  if constexpr (Bytes::kReads) {
    if (count > kMaxItems) return bytes.fail();
    value.clear();
    for (std::uint64_t i = 0; i < count && bytes.good(); ++i) {
      std::string key = bytes.text();
      if (!value.empty() && key <= value.rbegin()->first) return bytes.fail();
      inner(value.emplace_hint(value.end(), std::move(key), T{})->second);
    }
  } else {
    for (auto& [key, item] : value) {
      bytes.text(key);
      inner(item);
    }
  }
}

template <class Bytes>
void trend(Bytes& bytes, Trend& trend) {
  whole(bytes, trend.samples);
  time(bytes, trend.counted);
  score(bytes, trend.last);
  score(bytes, trend.smoothed);
  whole(bytes, trend.reference_samples);
  whole(bytes, trend.reference_sum);
  whole(bytes, trend.drift);
  whole(bytes, trend.good_samples);
}

template <class Bytes>
void fields(Bytes& bytes, Node& node) {
  text(bytes, node.name);
  whole(bytes, node.member.value);
  maybe(bytes, node.key, [&](crypto::PublicKey& key) { bytes.raw(key.bytes); });
  maybe(bytes, node.wireguard, [&](WireGuardKey& key) { bytes.raw(key); });
  text(bytes, node.endpoint);
  whole(bytes, node.address);
  whole(bytes, node.sequence);
  time(bytes, node.newest);
  maybe(bytes, node.fresh_key, [&](WireGuardKey& key) { bytes.raw(key); });
  items(bytes, node.reports, [&](Report& report) {
    text(bytes, report.suite);
    score(bytes, report.overall);
    time(bytes, report.timestamp);
  });
  trend(bytes, node.trend);
  whole(bytes, node.signals.failed_proofs);
  whole(bytes, node.signals.replays);
  whole(bytes, node.signals.lost_leases);
  choice(bytes, node.verdict, Verdict::kDenied);
  text(bytes, node.reason);
  whole(bytes, node.verdict_since);
  whole(bytes, node.first_epoch);
  flag(bytes, node.denied_by_rule);
}

template <class Bytes>
void fields(Bytes& bytes, EpochState& state) {
  whole(bytes, state.decided);
  time(bytes, state.decided_at);
  whole(bytes, state.skipped);
  time(bytes, state.boundary);
  choice(bytes, state.phase, KeyPhase::kGrace);
  whole(bytes, state.current);
  maybe(bytes, state.other, [&](std::uint64_t& other) { whole(bytes, other); });
  time(bytes, state.moment);
  whole(bytes, state.waited);
}

template <class Bytes>
void fields(Bytes& bytes, RuleParameters& rule) {
  whole(bytes, rule.version);
  score(bytes, rule.threshold);
  milliseconds(bytes, rule.max_age);
  whole(bytes, rule.smoothing_permille);
  score(bytes, rule.return_threshold);
  whole(bytes, rule.dwell_epochs);
  whole(bytes, rule.probation_epochs);
  whole(bytes, rule.decay_permille);
  items(bytes, rule.weights, [&](std::uint32_t& weight) { whole(bytes, weight); });
  flag(bytes, rule.only_listed);
  std::map<std::string, bool, std::less<>> listed;
  for (const std::string& name : rule.listed) listed.emplace(name, true);
  items(bytes, listed, [](bool&) {});
  if constexpr (Bytes::kReads) {
    for (const auto& [name, there] : listed) rule.listed.insert(name);
  }
  whole(bytes, rule.drift_samples);
  score(bytes, rule.drift_slack);
  score(bytes, rule.drift_limit);
  score(bytes, rule.per_failed_proof);
  score(bytes, rule.per_replay);
  score(bytes, rule.per_lost_lease);
}

// What layout 2 of a node has behind layout 1, which is read with none of it.
template <class Bytes>
void fields_of_claim(Bytes& bytes, Node& node) {
  time(bytes, node.claimed);
  text(bytes, node.brought_by);
}

// What layout 3 of a node, and 2 of a judgement, have behind those before.
template <class Bytes>
void fields_of_succession(Bytes& bytes, Node& node) {
  std::uint64_t count = node.former.size();
  whole(bytes, count);
  if constexpr (Bytes::kReads) {
    if (count > kMaxItems) return bytes.fail();
    node.former.clear();
    for (std::uint64_t i = 0; i < count && bytes.good(); ++i) {
      whole(bytes, node.former.emplace_back().value);
    }
  } else {
    for (MemberNumber& number : node.former) whole(bytes, number.value);
  }
}

// What layout 4 of a node, and 3 of a judgement, have behind those before.
template <class Bytes>
void fields_of_namesake(Bytes& bytes, Node& node) {
  maybe(bytes, node.namesake_was,
        [&](membership::Standing& was) { choice(bytes, was, membership::Standing::kRevoked); });
}

template <class Bytes>
void fields(Bytes& bytes, Judgement& judgement) {
  fields(bytes, judgement.node);
  fields_of_claim(bytes, judgement.node);
  whole(bytes, judgement.epoch);
  time(bytes, judgement.at);
  whole(bytes, judgement.rule);
  choice(bytes, judgement.standing, membership::Standing::kRevoked);
  text(bytes, judgement.kept_because);
  choice(bytes, judgement.verdict, Verdict::kDenied);
  choice(bytes, judgement.because, Because::kGood);
  text(bytes, judgement.reason);
  score(bytes, judgement.score);
  choice(bytes, judgement.standing_after, membership::Standing::kRevoked);
}

template <class Record>
std::string encoded(Record record) {
  BytesOut out;
  out.number(kLayout);
  fields(out, record);
  return out.take();
}

template <class Record>
std::optional<Record> decoded(std::string_view bytes) {
  BytesIn in(bytes);
  if (in.number() != kLayout) return std::nullopt;
  Record record;
  fields(in, record);
  if (!in.ended_well()) return std::nullopt;
  return record;
}

}  // namespace

std::string encode(const Node& node) {
  BytesOut out;
  Node written = node;
  out.number(kNodeLayout);
  fields(out, written);
  fields_of_claim(out, written);
  fields_of_succession(out, written);
  fields_of_namesake(out, written);
  return out.take();
}
std::string encode(const EpochState& state) { return encoded(state); }
std::string encode(const RuleParameters& parameters) { return encoded(parameters); }
std::string encode(const Judgement& judgement) {
  BytesOut out;
  Judgement written = judgement;
  out.number(kJudgementLayout);
  fields(out, written);
  fields_of_succession(out, written.node);
  fields_of_namesake(out, written.node);
  return out.take();
}

std::optional<Node> decode_node(std::string_view bytes) {
  BytesIn in(bytes);
  const std::uint64_t layout = in.number();
  if (layout < kLayout || layout > kNodeLayout) return std::nullopt;
  Node node;
  fields(in, node);
  if (layout >= kClaimLayout) fields_of_claim(in, node);
  if (layout >= kSuccessionLayout) fields_of_succession(in, node);
  if (layout >= kNodeLayout) fields_of_namesake(in, node);
  if (!in.ended_well() || !is_node_name(node.name)) return std::nullopt;
  return node;
}
std::optional<EpochState> decode_epoch_state(std::string_view bytes) {
  const auto state = decoded<EpochState>(bytes);
  return state && is_consistent(*state) ? state : std::nullopt;
}
std::optional<RuleParameters> decode_rule(std::string_view bytes) {
  return decoded<RuleParameters>(bytes);
}
std::optional<Judgement> decode_judgement(std::string_view bytes) {
  BytesIn in(bytes);
  const std::uint64_t layout = in.number();
  if (layout < kLayout || layout > kJudgementLayout) return std::nullopt;
  Judgement judgement;
  fields(in, judgement);
  if (layout >= kJudgedSuccessionLayout) fields_of_succession(in, judgement.node);
  if (layout >= kJudgementLayout) fields_of_namesake(in, judgement.node);
  if (!in.ended_well() || !is_node_name(judgement.node.name)) return std::nullopt;
  return judgement;
}

}  // namespace signet::overlay
