#include "net/admission.h"

#include <algorithm>

namespace signet::net {

Admission::Answer Admission::admit(const PeerAddress& peer) {
  if (connections_ >= options_.max_connections) return {Refused::kCapacity};
  const auto key = peer.limit_key();
  const auto known = per_address_.find(key);
  const std::size_t from_there = known == per_address_.end() ? 0 : known->second;
  const std::size_t most = options_.max_connections_per_address;
  if (most > 0 && from_there >= most) return {Refused::kAddress};
  if (unproven_ >= options_.max_unproven) return {Refused::kUnproven};

  ++connections_;
  ++unproven_;
  ++per_address_[key];
  const auto least = std::min_element(load_.begin(), load_.end());
  ++*least;
  return {std::nullopt, static_cast<std::uint32_t>(least - load_.begin())};
}

void Admission::note(const Departure& departure) {
  if (departure.kind != Departure::Kind::kLeftProven) --unproven_;
  if (departure.kind == Departure::Kind::kProven) return;
  --connections_;
  --load_[departure.shard];
  const auto known = per_address_.find(departure.limit_key);
  if (known != per_address_.end() && --known->second == 0) per_address_.erase(known);
}

}  // namespace signet::net
