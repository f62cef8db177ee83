// ToldNodes remembers what each node was answered last when it asked for its configuration, so that
// operators see who may still have a peer that is out. Told is not applied: that an agent did what
// it was told, nothing but its tunnels shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "controller/epochs.h"

namespace signet::admin {

// Control thread. In memory only: behind a start, everybody is behind until it asks.
class ToldNodes {
 public:
  // `epochs` must outlive it.
  ToldNodes(controller::Epochs& epochs, MetricRegistry& metrics);

  // The node proved itself and was given the configuration of now.
  void tell(const std::string& node);
  // An epoch was decided: all are behind until they ask again.
  void on_decided();

  // A member with keys that was not told of the last decision yet, or not of the last revocation.
  struct Behind {
    std::string node;
    std::uint64_t epoch = 0;  // the last that it was told of; 0: none since the start
    std::uint64_t revocations = 0;
  };
  std::vector<Behind> behind() const;  // sorted by name

 private:
  struct Told {
    std::uint64_t epoch = 0;
    std::uint64_t revocations = 0;
  };

  controller::Epochs& epochs_;
  std::map<std::string, Told, std::less<>> told_;
  std::set<std::string, std::less<>> missing_;  // since the last decision: what `behind_` counts
  Counter& behind_;
};

}  // namespace signet::admin
