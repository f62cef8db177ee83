#include "signet/bench/plan.h"

#include <algorithm>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::uint32_t kMostPartners = 32;
// So that what waits for an answer is bounded even where nobody waits for it.
constexpr std::uint32_t kMostInFlight = 10'000;
constexpr std::chrono::milliseconds kLeastPatience{500};
// The load test that claudemesh publishes: each of 100 peers says 1,000 messages, all at once.
constexpr std::uint32_t kClaudemeshPeers = 100;
constexpr std::uint32_t kClaudemeshMessages = 1'000;

BenchTo to_of(std::string_view word) {
  if (word == "channel") return BenchTo::kChannel;
  return word == "broadcast" ? BenchTo::kBroadcast : BenchTo::kDirect;
}

}  // namespace

std::string_view word_of(BenchTo to) {
  switch (to) {
    case BenchTo::kChannel:
      return "channel";
    case BenchTo::kBroadcast:
      return "broadcast";
    case BenchTo::kDirect:
      break;
  }
  return "direct";
}

std::uint32_t BenchPlan::partners() const { return std::min(peers - 1, kMostPartners); }

std::uint32_t BenchPlan::receiver_of(std::uint32_t sender, std::uint32_t number) const {
  return (sender + 1 + number % partners()) % peers;
}

std::uint32_t BenchPlan::place_of(std::uint32_t number) const {
  return to == BenchTo::kDirect ? number / partners() : number;
}

std::optional<std::chrono::nanoseconds> BenchPlan::due_after(std::uint32_t sender,
                                                             std::uint32_t number) const {
  if (is_all_at_once) return std::chrono::nanoseconds(0);
  if (per_second <= 0) return std::nullopt;
  const double turn = static_cast<double>(std::uint64_t{number} * peers + sender);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(turn / per_second));
}

Result<BenchPlan> plan_of(const BenchOptions& options) {
  const bool is_claudemesh = options.shape == "claudemesh";
  BenchPlan plan;
  plan.invite = options.invite;
  plan.peers = is_claudemesh ? kClaudemeshPeers : static_cast<std::uint32_t>(options.peers);
  plan.messages =
      is_claudemesh ? kClaudemeshMessages : static_cast<std::uint32_t>(options.messages);
  plan.to = to_of(options.to);
  plan.is_sealed = !options.plain;
  plan.text_bytes = static_cast<std::size_t>(options.size);
  plan.per_second = options.rate;
  plan.is_all_at_once = is_claudemesh || options.as_fast_as_possible;
  const bool waits_for_acks = !plan.is_all_at_once && options.rate <= 0;
  plan.in_flight = waits_for_acks ? static_cast<std::uint32_t>(options.in_flight) : kMostInFlight;
  plan.patience = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1'000));
  if (plan.patience < kLeastPatience) {
    return usage_error("--timeout is too short for any answer", "Give it at least half a second.");
  }
  if (plan.is_all_at_once && plan.per_second > 0) {
    return usage_error("a rate is not as fast as possible",
                       "Say --rate, or all at once, not both.");
  }
  return plan;
}

}  // namespace signet::cli
