#include "client/requests.h"

#include <utility>

#include "client/broker_codes.h"

namespace signet::client {
namespace {

// Far above a mesh of this broker; an endless list from a false one ends here.
constexpr std::size_t kMaxListedMembers = 100'000;

Error no_answer() {
  return {ErrorCode::kUnavailable, "timeout: the broker did not answer in time"};
}

bool same_channel(std::string_view said, std::string_view asked) {
  if (said.starts_with('#')) said.remove_prefix(1);
  if (asked.starts_with('#')) asked.remove_prefix(1);
  return said == asked;
}

}  // namespace

std::string Requests::frame_of(const Request& request) const {
  switch (request.kind) {
    case Kind::kMembers:
      return dialects::list_members_frame(request.subject,
                                          pages_.members.empty() ? "" : pages_.members.back().key);
    case Kind::kChannels:
      return dialects::channel_list_frame();
    case Kind::kChannelJoin:
      return dialects::channel_frame("channel_join", request.subject);
    case Kind::kChannelLeave:
      return dialects::channel_frame("channel_leave", request.subject);
    case Kind::kTopicSubscribe:
      return dialects::topic_frame("topic_subscribe", request.subject);
    case Kind::kTopicUnsubscribe:
      return dialects::topic_frame("topic_unsubscribe", request.subject);
    case Kind::kTopicHistory:
      return dialects::topic_history_frame(request.subject, request.after, request.limit);
    case Kind::kTopics:
      return dialects::topic_list_frame();
    case Kind::kPeers:
      break;
  }
  return dialects::list_peers_frame();
}

void Requests::pump(Elapsed now, const Say& say) {
  if (asked_ || waiting_.empty()) return;
  pages_ = {};
  asked_ = now;
  say(frame_of(waiting_.front()));
}

bool Requests::answers(const dialects::Answer& answer) const {
  if (!asked_) return false;
  const Request& request = waiting_.front();
  switch (request.kind) {
    case Kind::kPeers:
      return std::holds_alternative<dialects::PeersAnswer>(answer);
    case Kind::kChannels:
      return std::holds_alternative<dialects::ChannelsAnswer>(answer);
    case Kind::kMembers: {
      const auto* members = std::get_if<dialects::MembersAnswer>(&answer);
      return members != nullptr && members->target == request.subject;
    }
    case Kind::kChannelJoin:
    case Kind::kChannelLeave: {
      const auto* change = std::get_if<dialects::ChannelChangeAnswer>(&answer);
      return change != nullptr && change->joined == (request.kind == Kind::kChannelJoin) &&
             same_channel(change->name, request.subject);
    }
    case Kind::kTopicSubscribe:
    case Kind::kTopicUnsubscribe: {
      const auto* change = std::get_if<dialects::SubscriptionAnswer>(&answer);
      return change != nullptr && change->subscribed == (request.kind == Kind::kTopicSubscribe) &&
             change->pattern == request.subject;
    }
    case Kind::kTopicHistory:
      return std::holds_alternative<dialects::TopicHistoryAnswer>(answer);
    case Kind::kTopics:
      return std::holds_alternative<dialects::TopicsAnswer>(answer);
  }
  return false;
}

bool Requests::on_answer(dialects::Answer& answer, const Say& say, Elapsed now) {
  if (!answers(answer)) return false;
  auto* members = std::get_if<dialects::MembersAnswer>(&answer);
  if (members == nullptr) {
    finish(std::move(answer));
    return true;
  }
  const bool moved = !members->members.empty();
  for (auto& member : members->members) pages_.members.push_back(std::move(member));
  if (members->more && moved && pages_.members.size() < kMaxListedMembers) {
    asked_ = now;
    say(frame_of(waiting_.front()));
    return true;
  }
  pages_.target = members->target;
  pages_.audience = members->audience;
  finish(dialects::Answer(std::move(pages_)));
  return true;
}

bool Requests::on_error(const dialects::ErrorAnswer& error) {
  // The broker's word on a receipt, which nobody waits for.
  if (!asked_ || !error.client_id.empty() || error.code == "no_such_message") return false;
  finish(error_of(error.code, error.ref));
  return true;
}

void Requests::finish(Result<dialects::Answer> answer) {
  asked_.reset();
  const Request request = std::move(waiting_.front());
  waiting_.pop_front();
  if (request.done) request.done(std::move(answer));
}

void Requests::disconnected() {
  asked_.reset();
  if (!waiting_.empty() && !waiting_.front().done) waiting_.pop_front();
}

// The one under way keeps its place, so that its late answer is not taken for the next one's.
void Requests::expire(Elapsed now, const Error& why) {
  const Error unanswered = why.detail.empty() ? no_answer() : why;
  for (std::size_t i = 0; i < waiting_.size();) {
    if (now < waiting_[i].give_up || !waiting_[i].done) {
      ++i;
      continue;
    }
    const Done done = std::exchange(waiting_[i].done, nullptr);
    const bool under_way = i == 0 && asked_;
    if (under_way) {
      ++i;
    } else {
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    done(unanswered);
  }
}

void Requests::stop(const Error& why) {
  asked_.reset();
  while (!waiting_.empty()) finish(why);
}

std::optional<Elapsed> Requests::next_deadline() const {
  std::optional<Elapsed> next;
  if (asked_) next = *asked_ + answer_timeout_;
  for (const Request& request : waiting_) {
    if (request.done && (!next || request.give_up < *next)) next = request.give_up;
  }
  return next;
}

}  // namespace signet::client
