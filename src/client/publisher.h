// Publisher says pulses and matches the broker's answers to them. Nothing is kept for another
// connection: a pulse is fresh or worth nothing. Owned by the client's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "client/requests.h"

namespace signet::client {

// A frame of a broker's default: `claudemesh.max_message`.
inline constexpr std::size_t kMaxPublishFrame = 65'536;

class Publisher {
 public:
  using Done = std::function<void(Result<dialects::PublishedAnswer>)>;
  struct Pulse {
    std::string topic;
    std::string object;  // JSON
    Elapsed give_up;
    Done done;  // called once; empty: nobody waits
  };

  // How long the broker may take for an answer; beyond it the connection is no good.
  explicit Publisher(std::chrono::milliseconds answer_timeout) : answer_timeout_(answer_timeout) {}

  // Says it. Fails kOverloaded (too_many_pulses), through `done`.
  void publish(Pulse pulse, Elapsed now, const Say& say);

  // The topic of the pulse that this answers; nullopt: it is nobody's.
  std::optional<std::string> on_published(const dialects::PublishedAnswer& answer);
  bool on_error(const dialects::ErrorAnswer& error);

  void disconnected();
  void expire(Elapsed now);
  bool is_overdue(Elapsed now) const;
  std::optional<Elapsed> next_deadline() const;

 private:
  struct Unanswered {
    std::string topic;
    Elapsed since, give_up;
    Done done;
  };
  std::optional<Unanswered> take(const std::string& client_id);

  const std::chrono::milliseconds answer_timeout_;
  std::map<std::uint64_t, Unanswered> unanswered_;  // oldest first
  std::uint64_t next_ = 1;
};

}  // namespace signet::client
