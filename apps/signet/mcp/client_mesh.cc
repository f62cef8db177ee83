#include "signet/mcp/client_mesh.h"

#include <mutex>

#include "base/log.h"

namespace signet::mcp {
namespace {

constexpr std::size_t kKeyChangesKept = 16;  // an agent that is told of so many needs no more

// Key changes come on the client's thread and are taken by those of calls.
class KeyChanges {
 public:
  void add(const KeyChange& change) {
    const std::lock_guard lock(mutex_);
    if (changes_.size() < kKeyChangesKept) changes_.push_back(change);
  }
  std::vector<KeyChange> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<KeyChange> changes_;
};

class ClientMesh final : public McpMesh {
 public:
  ClientMesh(std::string slug, std::unique_ptr<KeyChanges> changes, std::unique_ptr<Client> client)
      : slug_(std::move(slug)), changes_(std::move(changes)), client_(std::move(client)) {}

  const std::string& slug() const override { return slug_; }
  ConnectionReport connection() const override { return client_->connection(); }
  Result<std::string> find(std::string_view who, Milliseconds timeout) override {
    return client_->find(who, timeout);
  }
  Result<std::string> send(const Outgoing& message) override { return client_->send(message); }
  Result<SendReport> wait_sent(std::string_view ticket, SendState state,
                               Milliseconds timeout) override {
    return client_->wait_sent(ticket, state, timeout);
  }
  Status cancel(std::string_view ticket) override { return client_->cancel(ticket); }
  Result<std::vector<Message>> read(std::size_t most, Milliseconds timeout) override {
    return client_->read(most, timeout);
  }
  Status confirm(const std::vector<std::string>& ids) override { return client_->confirm(ids); }
  Status give_back(const std::vector<std::string>& ids) override { return client_->give_back(ids); }
  Result<std::vector<Peer>> peers(Milliseconds timeout) override { return client_->peers(timeout); }
  Status set_activity(Activity activity) override { return client_->set_activity(activity); }
  Status set_summary(std::string_view summary) override { return client_->set_summary(summary); }
  std::vector<KeyChange> take_key_changes() override { return changes_->take(); }

 private:
  std::string slug_;
  std::unique_ptr<KeyChanges> changes_;
  std::unique_ptr<Client> client_;  // ends first: its handlers use the above
};

class ClosedMesh final : public McpMesh {
 public:
  ClosedMesh(std::string slug, Error reason) : slug_(std::move(slug)), reason_(std::move(reason)) {}

  const std::string& slug() const override { return slug_; }
  ConnectionReport connection() const override {
    ConnectionReport report;
    report.state = ConnectionReport::State::kStopped;
    report.why = reason_.detail.substr(0, reason_.detail.find('\n'));
    return report;
  }
  Result<std::string> find(std::string_view, Milliseconds) override { return reason_; }
  Result<std::string> send(const Outgoing&) override { return reason_; }
  Result<SendReport> wait_sent(std::string_view, SendState, Milliseconds) override {
    return reason_;
  }
  Status cancel(std::string_view) override { return reason_; }
  Result<std::vector<Message>> read(std::size_t, Milliseconds) override { return reason_; }
  Status confirm(const std::vector<std::string>&) override { return reason_; }
  Status give_back(const std::vector<std::string>&) override { return reason_; }
  Result<std::vector<Peer>> peers(Milliseconds) override { return reason_; }
  Status set_activity(Activity) override { return reason_; }
  Status set_summary(std::string_view) override { return reason_; }
  std::vector<KeyChange> take_key_changes() override { return {}; }

 private:
  std::string slug_;
  Error reason_;
};

void log_connection(const std::string& slug, const ConnectionReport& report) {
  switch (report.state) {
    case ConnectionReport::State::kConnecting:
      return;
    case ConnectionReport::State::kConnected:
      return log(LogLevel::kInfo, "mcp.connected", {{"mesh", slug}});
    case ConnectionReport::State::kWaiting:
      return log(LogLevel::kWarn, "mcp.waiting",
                 {{"mesh", slug}, {"why", report.why}, {"retry_ms", report.retry_in.count()}});
    case ConnectionReport::State::kStopped:
      return log(LogLevel::kError, "mcp.stopped", {{"mesh", slug}, {"why", report.why}});
  }
}

}  // namespace

std::unique_ptr<McpMesh> closed_mesh(const std::string& slug, Error reason) {
  log(LogLevel::kError, "mcp.mesh_closed", {{"mesh", slug}, {"why", reason.detail}});
  return std::make_unique<ClosedMesh>(slug, std::move(reason));
}

std::unique_ptr<McpMesh> open_mesh(const std::string& slug, const OpenClient& open) {
  auto changes = std::make_unique<KeyChanges>();
  Handlers handlers;
  handlers.on_connection = [slug](const ConnectionReport& report) { log_connection(slug, report); };
  handlers.on_key_change = [slug, kept = changes.get()](const KeyChange& change) {
    log(LogLevel::kWarn, "mcp.key_changed", {{"mesh", slug}, {"name", change.name}});
    kept->add(change);
  };
  auto client = open(std::move(handlers));
  if (!client.ok()) return closed_mesh(slug, client.error());
  return std::make_unique<ClientMesh>(slug, std::move(changes), *std::move(client));
}

}  // namespace signet::mcp
