// What callers of Client do with topics, on their own threads.
#include <algorithm>

#include "client/client_impl.h"
#include "wire/json.h"

namespace signet {
namespace {

using client::Requests;
using std::chrono::milliseconds;

Error failure(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  return {code, std::string(stable_code) + ": " + std::string(sentence)};
}

Error called_from_handler() {
  return failure(ErrorCode::kBug, "called_from_handler", "a handler may not wait for the broker");
}

Result<routing::Pattern> pattern_of(std::string_view text) {
  auto pattern = routing::Pattern::parse(text);
  if (pattern.ok()) return pattern;
  return failure(ErrorCode::kMalformed, "bad_topic", pattern.error().detail);
}

Status check_pulse(std::string_view topic, std::string_view object) {
  if (!routing::is_topic(topic)) {
    return failure(ErrorCode::kMalformed, "bad_topic",
                   "a topic is 1 to 16 segments of letters, digits, _ - : / and @ between dots");
  }
  // As it will stand in its frame, one level deeper.
  const std::string frame = dialects::topic_publish_frame("", topic, object);
  constexpr std::size_t kIdBytes = 64;  // of the frame that is said
  if (frame.size() + kIdBytes > client::kMaxPublishFrame) {
    return failure(ErrorCode::kMalformed, "pulse_too_long", "a pulse has at most 65,000 bytes");
  }
  wire::JsonDocument document;
  const bool is_alone = document.parse(object).ok() && document.root().is(wire::JsonKind::kObject);
  if (is_alone && document.parse(frame).ok()) return Done{};
  return failure(ErrorCode::kMalformed, "bad_pulse", "a pulse is a JSON object");
}

}  // namespace

// --- Subscription ---

Subscription::Subscription(std::shared_ptr<client::Feed> feed) : feed_(std::move(feed)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  if (feed_) feed_->end();
  feed_ = std::move(other.feed_);
  return *this;
}
Subscription::~Subscription() {
  if (feed_) feed_->end();
}
const std::string& Subscription::pattern() const { return feed_->pattern().text(); }

// --- Client ---

Result<std::uint64_t> Client::publish(std::string_view topic, std::string_view json_object,
                                      milliseconds timeout) {
  SIGNET_TRY([[maybe_unused]] const Done good, check_pulse(topic, json_object));
  const bool waits = timeout > milliseconds(0);
  if (waits && impl_->is_own_thread()) return called_from_handler();
  if (connection().state != ConnectionReport::State::kConnected) {
    const std::lock_guard lock(impl_->mutex_);
    return Error{ErrorCode::kUnavailable, impl_->last_failure_.detail};
  }
  using Answer = Result<dialects::PublishedAnswer>;
  const auto promise = std::make_shared<std::promise<Answer>>();
  std::future<Answer> answer = promise->get_future();
  client::Publisher::Pulse pulse{std::string(topic), std::string(json_object),
                                 system_clock().elapsed() + timeout, nullptr};
  if (waits) pulse.done = [promise](Answer got) { promise->set_value(std::move(got)); };
  impl_->post([impl = impl_.get(), pulse = std::move(pulse)] { impl->publish(pulse); });
  if (!waits) return std::uint64_t{0};
  // The thread may be in a handler when the time is over: it is not waited for.
  if (answer.wait_for(timeout) != std::future_status::ready) return impl_->unanswered();
  SIGNET_TRY(const dialects::PublishedAnswer published, answer.get());
  return published.number;
}

Result<Subscription> Client::subscribe(std::string_view pattern, PulseHandler handler,
                                       milliseconds timeout, std::optional<std::uint64_t> after) {
  SIGNET_TRY(routing::Pattern parsed, pattern_of(pattern));
  if (impl_->is_own_thread()) return called_from_handler();
  const auto feed = std::make_shared<client::Feed>(std::move(parsed), std::move(handler));
  const auto promise = std::make_shared<std::promise<Status>>();
  std::future<Status> answer = promise->get_future();
  const Elapsed give_up = system_clock().elapsed() + timeout;
  impl_->post([impl = impl_.get(), feed, after, give_up, promise] {
    impl->subscriptions_.add(feed, after, give_up,
                             [promise](Status told) { promise->set_value(std::move(told)); });
  });
  Subscription subscription(feed);  // ends it where this fails
  if (answer.wait_for(timeout) != std::future_status::ready) return impl_->unanswered();
  SIGNET_TRY([[maybe_unused]] const Done subscribed, answer.get());
  return subscription;
}

Result<TopicHistory> Client::topic_history(std::string_view pattern,
                                           std::optional<std::uint64_t> after, std::size_t limit,
                                           milliseconds timeout) {
  if (!pattern.empty()) {
    SIGNET_TRY([[maybe_unused]] const routing::Pattern parsed, pattern_of(pattern));
  }
  constexpr std::size_t kMost = 1'000;  // of the protocol page
  limit = std::clamp<std::size_t>(limit, 1, kMost);
  SIGNET_TRY(dialects::Answer answer, impl_->ask(Requests::Kind::kTopicHistory,
                                                 std::string(pattern), timeout, after, limit));
  auto& page = std::get<dialects::TopicHistoryAnswer>(answer);
  TopicHistory history;
  for (auto& pulse : page.pulses) history.pulses.push_back(client::pulse_of(std::move(pulse)));
  history.gap = page.gap;
  history.more = page.more;
  history.next = page.next;
  return history;
}

Result<std::vector<TopicInfo>> Client::topics(milliseconds timeout) {
  SIGNET_TRY(dialects::Answer answer, impl_->ask(Requests::Kind::kTopics, "", timeout));
  std::vector<TopicInfo> topics;
  for (auto& each : std::get<dialects::TopicsAnswer>(answer).topics) {
    topics.push_back({std::move(each.name), each.subscribers});
  }
  return topics;
}

}  // namespace signet
