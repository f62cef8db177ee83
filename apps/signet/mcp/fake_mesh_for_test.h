// A mesh of one test: what came is given to it, what was sent and confirmed can be looked at.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "signet/mcp/mesh.h"

namespace signet::mcp {

inline const std::string kBobKey(64, 'b');
inline const std::string kCarolKey(64, 'c');

class FakeMesh final : public McpMesh {
 public:
  explicit FakeMesh(std::string slug) : slug_(std::move(slug)) {}

  // --- what happens to it ---
  void deliver(Message message) {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(message));
    came_.notify_all();
  }
  void deliver(const std::string& id, const std::string& text) {
    Message message;
    message.id = id;
    message.sender_key = kBobKey;
    message.sender_name = "bob";
    message.kind = MessageKind::kDirect;
    message.sealed = true;
    message.text = text;
    deliver(std::move(message));
  }
  void be(ConnectionReport::State state, const std::string& why = {}) {
    const std::lock_guard lock(mutex_);
    connection_.state = state;
    connection_.why = why;
  }
  void go_away() { be(ConnectionReport::State::kWaiting, "unavailable: no broker answers"); }
  void refuse_sends(const std::string& code) { refusal_ = code; }
  void fail_reads(const Error& error) { read_error_ = error; }
  void fail_confirms(bool fails) { confirms_fail_ = fails; }
  void change_key(KeyChange change) { key_changes_.push_back(std::move(change)); }
  void add_peer(Peer peer) { peers_.push_back(std::move(peer)); }
  void know(const std::string& name) { known_.insert(name); }   // pinned here
  void list(const std::string& name) { listed_.insert(name); }  // known to the broker

  // --- what was done with it ---
  std::vector<Outgoing> sent() const { return locked(sent_); }
  std::vector<std::string> confirmed() const { return locked(confirmed_); }
  std::vector<std::string> returned() const { return locked(returned_); }
  std::vector<std::string> cancelled() const { return locked(cancelled_); }
  std::vector<Activity> activities() const { return locked(activities_); }
  std::vector<std::string> summaries() const { return locked(summaries_); }
  std::size_t leased() const {
    const std::lock_guard lock(mutex_);
    return leased_.size();
  }

  const std::string& slug() const override { return slug_; }
  ConnectionReport connection() const override { return locked(connection_); }

  Result<std::string> find(std::string_view who, Milliseconds) override {
    const std::lock_guard lock(mutex_);
    if (connection_.state != ConnectionReport::State::kConnected) return away();
    if (listed_.count(std::string(who)) == 0) {
      return Error{ErrorCode::kNotFound, "no_such_member: nobody is called so"};
    }
    known_.insert(kCarolKey);
    return kCarolKey;
  }
  Result<std::string> send(const Outgoing& message) override {
    const std::lock_guard lock(mutex_);
    if (message.to != "*" && message.to.front() != '#' && !message.to.starts_with("tag:") &&
        known_.count(message.to) == 0) {
      return Error{ErrorCode::kNotFound, "no_such_member: nobody is called so"};
    }
    sent_.push_back(message);
    return "ticket" + std::to_string(sent_.size());
  }
  Result<SendReport> wait_sent(std::string_view ticket, SendState, Milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    SendReport report;
    report.ticket = std::string(ticket);
    report.to = sent_.back().to;
    report.message_id = std::string(32, '1');
    report.recipients = 1;
    report.state = refusal_.empty() ? SendState::kStored : SendState::kRefused;
    report.why = refusal_;
    if (connection_.state == ConnectionReport::State::kConnected && !is_slow) return report;
    if (connection_.state == ConnectionReport::State::kStopped) {
      return Error{ErrorCode::kUnauthorized, connection_.why};
    }
    came_.wait_for(lock, timeout);
    return Error{ErrorCode::kOverloaded, "timeout: it still waits"};
  }
  Status cancel(std::string_view ticket) override {
    const std::lock_guard lock(mutex_);
    cancelled_.emplace_back(ticket);
    return Done{};
  }
  Result<std::vector<Message>> read(std::size_t most, Milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    if (read_error_.has_value()) return *read_error_;
    const auto is_free = [this](const Message& m) { return leased_.count(m.id) == 0; };
    came_.wait_for(lock, timeout,
                   [&] { return std::any_of(inbox_.begin(), inbox_.end(), is_free); });
    std::vector<Message> read;
    for (const Message& message : inbox_) {
      if (read.size() == most || !is_free(message)) continue;
      leased_.insert(message.id);
      read.push_back(message);
    }
    return read;
  }
  Status confirm(const std::vector<std::string>& ids) override {
    const std::lock_guard lock(mutex_);
    if (confirms_fail_) return Error{ErrorCode::kUnavailable, "disk: no room"};
    for (const std::string& id : ids) {
      confirmed_.push_back(id);
      leased_.erase(id);
      inbox_.erase(std::remove_if(inbox_.begin(), inbox_.end(),
                                  [&](const Message& m) { return m.id == id; }),
                   inbox_.end());
    }
    return Done{};
  }
  Status give_back(const std::vector<std::string>& ids) override {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : ids) {
      returned_.push_back(id);
      leased_.erase(id);
    }
    return Done{};
  }
  Result<std::vector<Peer>> peers(Milliseconds) override {
    const std::lock_guard lock(mutex_);
    if (connection_.state != ConnectionReport::State::kConnected) return away();
    return peers_;
  }
  Status set_activity(Activity activity) override {
    const std::lock_guard lock(mutex_);
    activities_.push_back(activity);
    return Done{};
  }
  Status set_summary(std::string_view summary) override {
    const std::lock_guard lock(mutex_);
    summaries_.emplace_back(summary);
    return Done{};
  }
  std::vector<KeyChange> take_key_changes() override { return std::exchange(key_changes_, {}); }

  std::atomic<bool> is_slow{false};  // acknowledges nothing

 private:
  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  Error away() const { return {ErrorCode::kUnavailable, "unavailable: no broker answers"}; }

  std::string slug_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  ConnectionReport connection_{.state = ConnectionReport::State::kConnected, .why = {}};
  std::vector<Message> inbox_;
  std::set<std::string> leased_, known_{kBobKey}, listed_;
  std::vector<Outgoing> sent_;
  std::vector<std::string> confirmed_, returned_, cancelled_, summaries_;
  std::vector<Activity> activities_;
  std::vector<Peer> peers_;
  std::vector<KeyChange> key_changes_;
  std::string refusal_;
  std::optional<Error> read_error_;
  bool confirms_fail_ = false;
};

}  // namespace signet::mcp
