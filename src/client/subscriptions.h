// Subscriptions are the topics that this client hears: asked for, asked for again on every
// connection, and caught up with by history after each. No socket and no clock: questions go
// through Requests. Owned by the client's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "client/feed.h"
#include "client/pulse_stream.h"
#include "client/requests.h"

namespace signet::client {

struct SubscriptionsOptions {
  PulseStreamOptions stream;
  std::size_t history_page = 250;  // then what came is handed over before more is asked for
  std::size_t max_pages = 64;      // of one catching-up: far more than a broker keeps
  std::chrono::milliseconds retry_after{1'000};     // a broker that is busy
  std::chrono::milliseconds refused_again{30'000};  // one that said no; its policy may change
};

class Subscriptions {
 public:
  using Told = std::function<void(Status)>;
  using OnLost = std::function<void(const std::string& pattern, const Error& why)>;

  // `requests` outlives it. `on_lost`: the broker refused to restore a subscription.
  Subscriptions(const SubscriptionsOptions& options, Requests& requests, OnLost on_lost)
      : options_(options), requests_(requests), on_lost_(std::move(on_lost)) {}

  // `after`: history first, from behind this number. `told` is called once, unless the feed ends
  // before; a refusal, or no answer by `give_up`, ends the feed.
  void add(const std::shared_ptr<Feed>& feed, std::optional<std::uint64_t> after, Elapsed give_up,
           Told told);

  // To whose pattern names its topic. To all, where none does: the mesh's routes brought it here on
  // another topic, and the frame does not say on which.
  void on_pulse(const dialects::PulseAnswer& pulse);
  void on_own(const std::string& topic, std::uint64_t topic_number);

  void connected();
  void disconnected();
  // Asks what is to be asked now. REQUIRES: connected.
  void pump(Elapsed now);

  // Calls handlers while `may_go_on` says so, once at least; whether something is left.
  bool deliver(const std::function<bool()>& may_go_on);
  bool has_pulses() const;
  std::optional<Elapsed> next_deadline() const;
  std::size_t size() const { return entries_.size(); }

 private:
  enum class Phase : std::uint8_t { kWanted, kAsked, kListening };
  enum class Need : std::uint8_t { kNothing, kBase, kHistory };
  struct Entry {
    Entry(std::shared_ptr<Feed> heard, const PulseStreamOptions& options)
        : feed(std::move(heard)), stream(options) {}
    std::shared_ptr<Feed> feed;
    PulseStream stream;
    Phase phase = Phase::kWanted;
    Need need = Need::kNothing;  // of history, once it listens
    std::optional<std::uint64_t> after;
    bool was_heard = false;  // it listened before: what came meanwhile is to be had
    bool is_lost = false;    // and that was told
    bool asks_history = false;
    std::size_t pages = 0;
    Elapsed give_up;
    Elapsed not_before;
    Told told;
  };
  using Id = std::uint64_t;

  void sweep();
  void end_at_broker(const std::string& pattern);
  void ask(Id id, Entry& entry);
  void on_subscribed(Id id, const std::string& pattern, const Result<dialects::Answer>& answer);
  void listen(Entry& entry);
  void refused(Id id, Entry& entry, const Error& why);
  void ask_history(Id id, Entry& entry);
  void on_history(Id id, std::uint64_t connection, Result<dialects::Answer> answer);
  void take_page(Entry& entry, dialects::TopicHistoryAnswer page);
  Entry* find(Id id);

  const SubscriptionsOptions options_;
  Requests& requests_;
  const OnLost on_lost_;
  std::map<Id, Entry> entries_;
  Id next_id_ = 1;
  std::uint64_t connection_ = 0;  // counts; answers to an older one's questions are old
  bool connected_ = false;
  Elapsed now_;  // of the last pump
};

}  // namespace signet::client
