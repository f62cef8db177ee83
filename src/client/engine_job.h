// What is behind a JobHandle: one lease as the program sees it, on any thread, and the line on
// which its words go to the engine's own. The engine's thread alone knows whether they can still be
// said.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mailbox.h"
#include "dialects/hub_engine_client.h"
#include "net/waker.h"
#include "signet/result.h"

namespace signet::client {

// A word about a job on its way; it owns its texts.
struct SaidWord {
  dialects::JobStep step = dialects::JobStep::kStarted;
  std::string job;
  std::optional<std::uint64_t> lease;
  std::string text;
};

// JobLine lives as long as the engine and its handles: what is said when the engine is gone stays
// unsaid.
class JobLine {
 public:
  JobLine() : mailbox_([this] { waker.wake(); }) {}

  void say(SaidWord word);       // any thread
  std::vector<SaidWord> take();  // the engine's

  net::Waker waker;

 private:
  Mailbox mailbox_;
  std::vector<SaidWord> taken_;  // the engine's thread
};

class HeldJob {
 public:
  HeldJob(std::string id, std::optional<std::uint64_t> lease, std::size_t max_result_bytes,
          std::shared_ptr<JobLine> line);
  HeldJob(const HeldJob&) = delete;
  HeldJob& operator=(const HeldJob&) = delete;

  // Any thread; as the methods of JobHandle.
  Status start();
  Status progress(double percent);
  Status complete(std::string_view json);
  Status fail(std::string_view reason);
  Status held() const;

  // The lease is over: every call fails with `why`. The first one counts.
  void end(Error why);

  const std::string& id() const { return id_; }
  std::optional<std::uint64_t> lease() const { return lease_; }

 private:
  Status say(dialects::JobStep step, std::string text);

  const std::string id_;
  const std::optional<std::uint64_t> lease_;
  const std::size_t max_result_bytes_;
  const std::shared_ptr<JobLine> line_;
  mutable std::mutex mutex_;
  std::optional<Error> over_;  // under mutex_
};

}  // namespace signet::client
