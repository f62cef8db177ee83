#include "net/admission.h"

#include <algorithm>

namespace signet::net {
namespace {

// Ending one takes a turn of its shard. By how many times the limit may be passed until
// then; beyond that newcomers go.
constexpr std::size_t kOverrun = 2;

template <class Loads, class Less>
std::uint32_t most(const Loads& loads, Less less) {
  const auto found = std::max_element(loads.begin(), loads.end(), less);
  return static_cast<std::uint32_t>(found - loads.begin());
}

}  // namespace

std::uint32_t Admission::least_loaded() const {
  return most(load_, [](const Load& a, const Load& b) { return a.connections > b.connections; });
}

Admission::Answer Admission::admit_local() {
  if (local_ >= options_.max_local_connections) return {Refused::kCapacity, 0, std::nullopt};
  Answer answer;
  answer.shard = least_loaded();
  ++local_;
  ++load_[answer.shard].connections;
  return answer;
}

std::size_t Admission::start() const {
  const std::size_t named = options_.unproven_start;
  return named == 0 ? options_.max_unproven / 2 : std::min(named, options_.max_unproven);
}

std::optional<Refused> Admission::reason_to_refuse(const Load& from_there) const {
  const std::size_t per_address = options_.max_connections_per_address;
  const std::size_t percent = options_.unproven_share_percent;
  const std::size_t share = std::max<std::size_t>(1, options_.max_unproven * percent / 100);
  if (connections_ >= options_.max_connections) return Refused::kCapacity;
  if (per_address > 0 && from_there.connections >= per_address) return Refused::kAddress;
  if (unproven_ >= options_.max_unproven * kOverrun) return Refused::kUnproven;
  if (percent > 0 && unproven_ >= start() && from_there.unproven >= share) {
    return Refused::kUnprovenShare;
  }
  return std::nullopt;
}

bool Admission::displaces(std::uint32_t roll) const {
  if (unproven_ == 0) return false;
  const std::size_t reserve = options_.max_connections * options_.reserve_percent / 100;
  if (connections_ + reserve >= options_.max_connections && reserve > 0) return true;
  if (unproven_ >= options_.max_unproven) return true;
  if (unproven_ <= start()) return false;
  const std::uint64_t over = unproven_ - start(), all = options_.max_unproven - start();
  return (over << 32) / all > roll;
}

Admission::Answer Admission::admit(const PeerAddress& peer, std::uint32_t roll, bool is_proxy) {
  if (peer.is_local()) return admit_local();
  const auto key = peer.limit_key();
  const auto known = is_proxy ? per_address_.end() : per_address_.find(key);
  const Load from_there = known == per_address_.end() ? Load{} : known->second;
  if (const auto refused = reason_to_refuse(from_there)) return {refused, 0, std::nullopt};

  Answer answer;
  if (displaces(roll)) {
    answer.displaces_in =
        most(load_, [](const Load& a, const Load& b) { return a.unproven < b.unproven; });
  }
  answer.shard = least_loaded();
  ++connections_;
  ++unproven_;
  const auto count = [](Load& load) {
    ++load.connections;
    ++load.unproven;
  };
  count(load_[answer.shard]);
  if (!is_proxy) count(per_address_[key]);
  return answer;
}

// It stays one of its address and of all.
void Admission::note_move(const Departure& move) {
  Load& from = load_[move.shard];
  Load& to = load_[move.to];
  --from.connections;
  ++to.connections;
  if (move.kind == Departure::Kind::kMovedProven) return;
  --from.unproven;
  ++to.unproven;
}

void Admission::note(const Departure& departure) {
  const bool is_move = departure.kind == Departure::Kind::kMovedProven ||
                       departure.kind == Departure::Kind::kMovedUnproven;
  if (is_move) return note_move(departure);
  Load& load = load_[departure.shard];
  if (departure.local) {
    --local_;
    --load.connections;
    return;
  }
  const auto known =
      departure.limit_key ? per_address_.find(*departure.limit_key) : per_address_.end();
  const bool has_address = known != per_address_.end();
  if (departure.limit_key && !has_address) return;
  if (departure.kind != Departure::Kind::kLeftProven) {
    --unproven_;
    --load.unproven;
    if (has_address) --known->second.unproven;
  }
  if (departure.kind == Departure::Kind::kProven) return;
  --connections_;
  --load.connections;
  if (has_address && --known->second.connections == 0) per_address_.erase(known);
}

}  // namespace signet::net
