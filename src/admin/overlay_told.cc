#include "admin/overlay_told.h"

#include <utility>

namespace signet::admin {

ToldNodes::ToldNodes(controller::Epochs& epochs, MetricRegistry& metrics)
    : epochs_(epochs),
      behind_(metrics.gauge("signet_overlay_nodes_behind",
                            "Members that have not asked since the last decision.")) {}

void ToldNodes::tell(const std::string& node) {
  told_[node] = {epochs_.state().decided, epochs_.revocations_serial()};
  if (missing_.erase(node) > 0) behind_.set(static_cast<std::int64_t>(missing_.size()));
}

void ToldNodes::on_decided() {
  std::erase_if(told_, [this](const auto& each) { return epochs_.node(each.first) == nullptr; });
  missing_.clear();
  for (Behind& each : behind()) missing_.insert(std::move(each.node));
  behind_.set(static_cast<std::int64_t>(missing_.size()));
}

std::vector<ToldNodes::Behind> ToldNodes::behind() const {
  const std::uint64_t epoch = epochs_.state().decided;
  const std::uint64_t revocations = epochs_.revocations_serial();
  std::vector<Behind> behind;
  epochs_.each_node([&](const overlay::Node& node) {
    const bool has_peers = node.wireguard && node.verdict == overlay::Verdict::kAllowed &&
                           may_connect(epochs_.standing_of(node));
    if (!has_peers) return;
    const auto found = told_.find(node.name);
    const Told told = found == told_.end() ? Told{} : found->second;
    if (told.epoch >= epoch && told.revocations >= revocations) return;
    behind.push_back({node.name, told.epoch, told.revocations});
  });
  return behind;
}

}  // namespace signet::admin
