#include "broker/topic_hub.h"

#include <algorithm>

#include "broker/session.h"

namespace signet::broker {

TopicHub::Slot TopicHub::take_slot(Session& session) {
  if (free_.empty()) {
    places_.push_back({&session, 0});
    return static_cast<Slot>(places_.size() - 1);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  places_[slot] = {&session, 0};
  return slot;
}

bool TopicHub::subscribe(Session& session, const routing::Pattern& pattern) {
  auto& mine = session.listener.subscriptions;
  if (mine != nullptr &&
      std::find(mine->patterns.begin(), mine->patterns.end(), pattern) != mine->patterns.end()) {
    return false;
  }
  if (mine == nullptr) {
    mine = std::make_unique<Listener::Subscriptions>();
    mine->slot = take_slot(session);
  }
  MeshTopics& topics = meshes_[session.mesh];
  topics.tree.add(pattern, mine->slot);
  if (pattern.is_exact()) ++topics.exact[pattern.text()];
  mine->patterns.push_back(pattern);
  ++subscriptions_;
  return true;
}

void TopicHub::unhook(Session& session, const routing::Pattern& pattern) {
  const auto found = meshes_.find(session.mesh);
  if (found == meshes_.end()) return;
  MeshTopics& topics = found->second;
  topics.tree.remove(pattern, session.listener.subscriptions->slot);
  --subscriptions_;
  if (const auto exact = topics.exact.find(pattern.text()); pattern.is_exact()) {
    if (exact != topics.exact.end() && --exact->second == 0) topics.exact.erase(exact);
  }
  if (topics.tree.size() == 0) meshes_.erase(found);
}

bool TopicHub::unsubscribe(Session& session, const routing::Pattern& pattern) {
  auto& mine = session.listener.subscriptions;
  if (mine == nullptr) return false;
  const auto at = std::find(mine->patterns.begin(), mine->patterns.end(), pattern);
  if (at == mine->patterns.end()) return false;
  unhook(session, pattern);
  mine->patterns.erase(at);
  if (mine->patterns.empty()) forget(session);
  return true;
}

void TopicHub::forget(Session& session) {
  auto& mine = session.listener.subscriptions;
  if (mine == nullptr) return;
  for (const routing::Pattern& pattern : mine->patterns) unhook(session, pattern);
  places_[mine->slot] = {};
  free_.push_back(mine->slot);
  mine.reset();
}

std::vector<TopicCount> TopicHub::topics(MeshNumber mesh) const {
  std::vector<TopicCount> counts;
  const auto found = meshes_.find(mesh);
  if (found == meshes_.end()) return counts;
  for (const auto& [name, subscribers] : found->second.exact) counts.push_back({name, subscribers});
  return counts;
}

}  // namespace signet::broker
