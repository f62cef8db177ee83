#include "net/admission.h"

#include <algorithm>

namespace signet::net {
namespace {

// Ending the oldest takes a turn of its shard. By how many times the limit may be passed until
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

Admission::Answer Admission::admit(const PeerAddress& peer) {
  if (peer.is_local()) return admit_local();
  if (connections_ >= options_.max_connections) return {Refused::kCapacity, 0, std::nullopt};
  const auto key = peer.limit_key();
  const auto known = per_address_.find(key);
  const std::size_t from_there = known == per_address_.end() ? 0 : known->second;
  const std::size_t per_address = options_.max_connections_per_address;
  if (per_address > 0 && from_there >= per_address) return {Refused::kAddress, 0, std::nullopt};
  if (unproven_ >= options_.max_unproven * kOverrun) return {Refused::kUnproven, 0, std::nullopt};

  Answer answer;
  if (unproven_ >= options_.max_unproven) {
    answer.displaces_in =
        most(load_, [](const Load& a, const Load& b) { return a.unproven < b.unproven; });
  }

  ++connections_;
  ++unproven_;
  ++per_address_[key];
  answer.shard = least_loaded();
  ++load_[answer.shard].connections;
  ++load_[answer.shard].unproven;
  return answer;
}

void Admission::note(const Departure& departure) {
  Load& load = load_[departure.shard];
  if (departure.local) {
    --local_;
    --load.connections;
    return;
  }
  if (departure.kind != Departure::Kind::kLeftProven) {
    --unproven_;
    --load.unproven;
  }
  if (departure.kind == Departure::Kind::kProven) return;
  --connections_;
  --load.connections;
  const auto known = per_address_.find(departure.limit_key);
  if (known != per_address_.end() && --known->second == 0) per_address_.erase(known);
}

}  // namespace signet::net
