// Requests are questions to the broker whose answers carry no id: lists and channels. One is under
// way at a time, so that an answer, or an error that names no message, is that one's.
// Owned by the client's thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "dialects/claudemesh_client.h"
#include "signet/result.h"

namespace signet::client {

// Says one frame to the broker.
using Say = std::function<void(std::string_view frame)>;

class Requests {
 public:
  enum class Kind : std::uint8_t {
    kPeers,
    kMembers,
    kChannels,
    kChannelJoin,
    kChannelLeave,
    kTopicSubscribe,
    kTopicUnsubscribe,
    kTopicHistory,
    kTopics
  };
  using Done = std::function<void(Result<dialects::Answer>)>;

  struct Request {
    Kind kind;
    std::string subject;  // target, channel name or pattern
    Elapsed give_up;  // unanswered by then: kUnavailable; an answer that comes later is nobody's
    Done done;        // called once
    std::optional<std::uint64_t> after = {};  // of history: from behind this number
    std::size_t limit = 0;                    // likewise: as many as this
  };

  // How long the broker may take for one answer; beyond it the connection is no good.
  explicit Requests(std::chrono::milliseconds answer_timeout) : answer_timeout_(answer_timeout) {}

  void ask(Request request) { waiting_.push_back(std::move(request)); }

  // Says the next question, where none is under way.
  void pump(Elapsed now, const Say& say);

  // True when the answer was one to a question of here.
  bool on_answer(dialects::Answer& answer, const Say& say, Elapsed now);
  bool on_error(const dialects::ErrorAnswer& error);

  // Questions go on waiting for the next connection; the one under way is asked again.
  void disconnected();
  // Ends what waited too long. `why` is the connection's last failure.
  void expire(Elapsed now, const Error& why);
  // Ends all.
  void stop(const Error& why);

  bool is_overdue(Elapsed now) const { return asked_ && now >= *asked_ + answer_timeout_; }
  std::optional<Elapsed> next_deadline() const;

 private:
  bool answers(const dialects::Answer& answer) const;
  void finish(Result<dialects::Answer> answer);
  std::string frame_of(const Request& request) const;

  const std::chrono::milliseconds answer_timeout_;
  std::deque<Request> waiting_;
  std::optional<Elapsed> asked_;   // the front one is under way since
  dialects::MembersAnswer pages_;  // of a list of members, so far
};

}  // namespace signet::client
