// The public methods of Client: what callers do on their own threads.
#include "signet/client.h"

#include <algorithm>

#include "client/client_impl.h"
#include "client/identity_access.h"
#include "client/safety_number.h"
#include "crypto/random.h"

namespace signet {
namespace {

using client::Found;
using client::Requests;
using std::chrono::milliseconds;

constexpr std::size_t kMaxSummaryBytes = 2'048;  // of the protocol page
constexpr std::size_t kMaxNameBytes = 128;       // of a display name, likewise

Error failure(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  return {code, std::string(stable_code) + ": " + std::string(sentence)};
}

Activity activity_from(std::string_view name) {
  if (name == "working") return Activity::kWorking;
  return name == "dnd" ? Activity::kDnd : Activity::kIdle;
}

client::StateOptions state_options(const ClientOptions& options) {
  client::StateOptions state;
  state.file = options.state_file;
  state.outbox_messages = options.outbox_messages;
  state.inbox_messages = options.inbox_messages;
  return state;
}

client::SubscriptionsOptions subscription_options(const ClientOptions& options) {
  client::SubscriptionsOptions subscriptions;
  subscriptions.stream.max_pulses = std::max<std::size_t>(options.pulse_queue, 1);
  return subscriptions;
}

}  // namespace

Client::Impl::Impl(ClientOptions options, Handlers handlers, client::Url url,
                   std::unique_ptr<client::State> state)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      url_(std::move(url)),
      key_(IdentityAccess::key(options_.membership.identity)),
      own_(options_.membership.identity.public_key()),
      state_(std::move(state)),
      reader_(options_.membership.mesh_id, key_, *state_),
      last_failure_{ErrorCode::kUnavailable, "unreachable: the broker was not reached yet"},
      mailbox_([this] { waker_.wake(); }),
      sealing_(options_.membership.mesh_id, key_),
      requests_(options_.ack_timeout),
      subscriptions_(subscription_options(options_), requests_,
                     [this](const std::string& pattern, const Error& why) {
                       if (handlers_.on_unsubscribed) handlers_.on_unsubscribed(pattern, why);
                     }),
      publisher_(options_.ack_timeout),
      pump_({.ack_timeout = options_.ack_timeout}, options_.membership.mesh_id, key_.public_key(),
            *state_, sealing_, requests_, [this](const std::string& ticket) { tell_sent(ticket); }),
      intake_(options_.membership.mesh_id, *state_, sealing_, pump_),
      backoff_(options_.first_retry, options_.last_retry) {
  learn_pins();
}

Client::Impl::~Impl() { stop(); }

Result<dialects::Answer> Client::Impl::ask(Requests::Kind kind, std::string subject,
                                           milliseconds timeout, std::optional<std::uint64_t> after,
                                           std::size_t limit) {
  if (is_own_thread()) {
    return failure(ErrorCode::kBug, "called_from_handler", "a handler may not wait for the broker");
  }
  using Promise = std::promise<Result<dialects::Answer>>;
  const auto promise = std::make_shared<Promise>();
  std::future<Result<dialects::Answer>> answer = promise->get_future();
  const Elapsed give_up = system_clock().elapsed() + timeout;
  post([this, kind, subject = std::move(subject), give_up, promise, after, limit] {
    const auto done = [promise](Result<dialects::Answer> got) {
      promise->set_value(std::move(got));
    };
    requests_.ask({kind, subject, give_up, done, after, limit});
  });
  const bool came = answer.wait_for(timeout) == std::future_status::ready;
  if (came) return answer.get();
  return unanswered();
}

Error Client::Impl::unanswered() const {
  const std::lock_guard lock(mutex_);
  if (connection_.state == ConnectionReport::State::kConnected) {
    return failure(ErrorCode::kOverloaded, "timeout", "the broker did not answer in time");
  }
  return last_failure_;
}

Result<Found> Client::Impl::find_now(std::string_view who) {
  Result<Found> found = [&] {
    const std::lock_guard lock(mutex_);
    return directory_.find(who);
  }();
  if (!found.ok() || !found->pin_it) return found;
  SIGNET_TRY(const Pin pin, state_->first_pin(who, found->target));
  learn_pins();
  // Another process was first, or a person said there whose key it is.
  if (pin.key != found->target) return client::peer_key_changed(who, found->target, pin.key);
  return found;
}

void Client::Impl::learn_pins() {
  const std::lock_guard one_at_a_time(learning_);  // else an older set could follow a newer one
  auto pins = state_->pins();
  const std::lock_guard lock(mutex_);
  if (pins.ok()) directory_.set_pins(*std::move(pins));
}

void Client::Impl::learn_members(std::vector<Member> members) {
  learn_pins();  // another process may have pinned meanwhile
  const std::lock_guard lock(mutex_);
  directory_.set_members(std::move(members));
}

Message Client::Impl::message_of(const client::StoredPush& push) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = directory_.name_of(push.sender_key);
  }
  return reader_.read(push, std::move(name));
}

void Client::Impl::wait_for_names(const std::vector<client::StoredPush>& pushes) {
  const auto is_nameless = [this](const client::StoredPush& push) {
    const std::lock_guard lock(mutex_);
    return directory_.name_of(push.sender_key).empty();
  };
  if (is_own_thread() || std::none_of(pushes.begin(), pushes.end(), is_nameless)) return;
  wait_until(kNamesFirst, [this] { return !directory_pending_; });
}

// The keys were asked for when the messages came. Who did not answer once is not waited for again:
// under keys that nobody has, a member could hold up every reader.
std::vector<Message> Client::Impl::wait_for_keys(const std::vector<client::StoredPush>& pushes) {
  std::vector<Message> messages;
  const auto all_open = [&] {
    messages.clear();
    for (const client::StoredPush& push : pushes) messages.push_back(message_of(push));
    const std::lock_guard lock(mutex_);
    return std::none_of(messages.begin(), messages.end(), [this](const Message& message) {
      return message.why == "key_missing" && !keyless_.contains(message.sender_key);
    });
  };
  if (all_open() || is_own_thread() || wait_until(kKeysFirst, all_open)) return messages;
  constexpr std::size_t kMostKeyless = 10'000;
  const std::lock_guard lock(mutex_);
  if (keyless_.size() > kMostKeyless) keyless_.clear();
  for (const Message& message : messages) {
    if (message.why == "key_missing") keyless_.insert(message.sender_key);
  }
  return messages;
}

void Client::Impl::confirmed(std::vector<std::string> message_ids) {
  if (message_ids.empty()) return;
  post([this, ids = std::move(message_ids)] {
    for (const std::string& id : ids) say()(dialects::receipt_frame(id, "read"));
    pushed_ = pushed_ || intake_.has_waiting();  // there is room again
  });
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(ClientOptions options, Handlers handlers) {
  if (!crypto::initialize()) {
    return failure(ErrorCode::kUnavailable, "no_randomness", "the system gives no random numbers");
  }
  auto url = client::parse_url(options.membership.broker_url);
  if (!url.ok()) return failure(ErrorCode::kMalformed, "bad_url", url.error().detail);
  if (options.display_name.size() > kMaxNameBytes) {
    return failure(ErrorCode::kMalformed, "name_too_long", "a display name has at most 128 bytes");
  }
  SIGNET_TRY(auto state, client::State::open(state_options(options),
                                             IdentityAccess::key(options.membership.identity)));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handlers), *std::move(url),
                                     std::move(state));
  SIGNET_TRY([[maybe_unused]] const Done wakes, impl->waker_.opened());
  SIGNET_TRY([[maybe_unused]] const Done stops, impl->stop_waker_.opened());
  impl->start();
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

ConnectionReport Client::connection() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->connection_;
}

Status Client::wait_connected(milliseconds timeout) {
  if (impl_->is_own_thread()) {
    return failure(ErrorCode::kBug, "called_from_handler", "a handler may not wait for the broker");
  }
  using State = ConnectionReport::State;
  const auto settled = [this] {
    const State state = connection().state;
    return state == State::kConnected || state == State::kStopped;
  };
  impl_->wait_until(timeout, settled);
  if (connection().state == State::kConnected) return Done{};
  const std::lock_guard lock(impl_->mutex_);
  return impl_->last_failure_;
}

// --- sending ---

Result<std::string> Client::send(const Outgoing& message) {
  SIGNET_TRY(const Found to, impl_->find_now(message.to));
  if (to.target == impl_->own_) {
    return failure(ErrorCode::kMalformed, "bad_target", "this is your own key");
  }
  if (message.sealed) {
    SIGNET_TRY([[maybe_unused]] const Done sendable, client::check_text(message.text));
  } else {
    SIGNET_TRY([[maybe_unused]] const auto sendable, client::Sealing::in_the_clear(message.text));
  }
  client::OutboxEntry entry;
  entry.to = to.target;
  entry.text = message.text;
  entry.priority = message.priority;
  entry.receipts = message.receipts;
  entry.sealed = message.sealed;
  SIGNET_TRY(std::string ticket, impl_->state_->enqueue_claimed(std::move(entry)));
  impl_->post([impl = impl_.get()] { impl->pump_.wake(); });
  return ticket;
}

Result<SendReport> Client::wait_sent(std::string_view ticket, SendState state,
                                     milliseconds timeout) {
  if (impl_->is_own_thread()) {
    return failure(ErrorCode::kBug, "called_from_handler", "a handler may not wait for the broker");
  }
  Result<SendReport> report = impl_->state_->report(ticket);
  bool came = false;
  impl_->wait_until(timeout, [&] {
    report = impl_->state_->report(ticket);
    came = !report.ok() || report->state >= state || report->state == SendState::kRefused;
    return came || connection().state == ConnectionReport::State::kStopped;
  });
  if (came) return report;
  if (connection().state == ConnectionReport::State::kStopped) {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->last_failure_;
  }
  return failure(ErrorCode::kOverloaded, "timeout",
                 report->state == SendState::kWaiting ? "the message still waits in the outbox"
                                                      : "nobody has confirmed the message yet");
}

Status Client::cancel(std::string_view ticket) {
  SIGNET_TRY([[maybe_unused]] const Done gone, impl_->state_->cancel(ticket));
  impl_->post([impl = impl_.get()] { impl->pump_.wake(); });
  return Done{};
}

Result<std::vector<SendReport>> Client::outbox() const { return impl_->state_->waiting(); }

// --- reading ---

Result<std::vector<Message>> Client::read(std::size_t most, milliseconds timeout) {
  Result<std::vector<client::StoredPush>> leased = impl_->state_->lease(most);
  if (leased.ok() && leased->empty() && !impl_->is_own_thread()) {
    impl_->wait_until(timeout, [&] {
      leased = impl_->state_->lease(most);
      return !leased.ok() || !leased->empty();
    });
  }
  if (!leased.ok()) return leased.error();
  impl_->wait_for_names(*leased);
  return impl_->wait_for_keys(*leased);
}

Status Client::confirm(const std::vector<std::string>& message_ids) {
  SIGNET_TRY(auto confirmed, impl_->state_->confirm(message_ids));
  impl_->confirmed(std::move(confirmed));
  return Done{};
}

Status Client::give_back(const std::vector<std::string>& message_ids) {
  SIGNET_TRY([[maybe_unused]] const Done given, impl_->state_->give_back(message_ids));
  impl_->post([impl = impl_.get()] { impl->notify(); });
  return Done{};
}

Result<std::vector<Message>> Client::unread(std::size_t most) const {
  SIGNET_TRY(const auto pushes, impl_->state_->unread(most));
  std::vector<Message> messages;
  messages.reserve(pushes.size());
  for (const client::StoredPush& push : pushes) messages.push_back(impl_->message_of(push));
  return messages;
}

Result<std::vector<Message>> Client::history(std::size_t most) const {
  SIGNET_TRY(const auto pushes, impl_->state_->history(most));
  std::vector<Message> messages;
  messages.reserve(pushes.size());
  for (const client::StoredPush& push : pushes) messages.push_back(impl_->message_of(push));
  return messages;
}

// --- presence and channels ---

Result<std::vector<Peer>> Client::peers(milliseconds timeout) {
  SIGNET_TRY(dialects::Answer answer, impl_->ask(Requests::Kind::kPeers, "", timeout));
  std::vector<Peer> peers;
  for (auto& each : std::get<dialects::PeersAnswer>(answer).peers) {
    Peer peer;
    peer.is_me = each.key == impl_->own_;
    peer.activity = activity_from(each.status);
    peer.key = std::move(each.key);
    peer.name = std::move(each.name);
    peer.summary = std::move(each.summary);
    peer.session_id = std::move(each.session_id);
    peer.connected_at = std::move(each.connected_at);
    peers.push_back(std::move(peer));
  }
  return peers;
}

Result<std::vector<Member>> Client::members(std::string_view target, milliseconds timeout) {
  SIGNET_TRY(dialects::Answer answer,
             impl_->ask(Requests::Kind::kMembers, std::string(target), timeout));
  std::vector<Member> members;
  for (auto& each : std::get<dialects::MembersAnswer>(answer).members) {
    members.push_back({std::move(each.key), std::move(each.name), std::move(each.role)});
  }
  if (target == "*") impl_->learn_members(members);
  return members;
}

Status Client::set_activity(Activity activity) {
  {
    const std::lock_guard lock(impl_->mutex_);
    impl_->activity_ = activity;
  }
  impl_->post([impl = impl_.get(), activity] {
    constexpr std::string_view kNames[] = {"idle", "working", "dnd"};
    impl->say()(dialects::set_status_frame(kNames[static_cast<std::size_t>(activity)]));
  });
  return Done{};
}

Status Client::set_summary(std::string_view summary) {
  if (summary.size() > kMaxSummaryBytes) {
    return failure(ErrorCode::kMalformed, "summary_too_long", "a summary has at most 2,048 bytes");
  }
  {
    const std::lock_guard lock(impl_->mutex_);
    impl_->summary_ = std::string(summary);
  }
  impl_->post([impl = impl_.get(), text = std::string(summary)] {
    impl->say()(dialects::set_summary_frame(text));
  });
  return Done{};
}

Status Client::join_channel(std::string_view name, milliseconds timeout) {
  SIGNET_TRY([[maybe_unused]] const dialects::Answer joined,
             impl_->ask(Requests::Kind::kChannelJoin, std::string(name), timeout));
  return Done{};
}

Status Client::leave_channel(std::string_view name, milliseconds timeout) {
  SIGNET_TRY([[maybe_unused]] const dialects::Answer left,
             impl_->ask(Requests::Kind::kChannelLeave, std::string(name), timeout));
  return Done{};
}

Result<std::vector<Channel>> Client::channels(milliseconds timeout) {
  SIGNET_TRY(dialects::Answer answer, impl_->ask(Requests::Kind::kChannels, "", timeout));
  std::vector<Channel> channels;
  for (auto& each : std::get<dialects::ChannelsAnswer>(answer).channels) {
    std::string name = each.name.starts_with('#') ? each.name : "#" + each.name;
    channels.push_back({std::move(name), each.members, each.joined});
  }
  return channels;
}

// --- whose key is whose ---

Result<std::string> Client::find(std::string_view who, milliseconds timeout) {
  const bool is_exact = who == "*" || who.starts_with('#') || who.starts_with("tag:") ||
                        crypto::public_key_from_hex(who).has_value();
  Status listed = Done{};
  if (!is_exact) {
    const auto members = this->members("*", timeout);
    if (!members.ok()) listed = members.error();
  }
  const auto found = impl_->find_now(who);
  if (found.ok()) return found->target;
  const bool unknown = found.error().code == ErrorCode::kNotFound;
  if (unknown && !listed.ok()) return listed.error();  // it may exist: nobody could be asked
  return found.error();
}

Result<std::vector<Pin>> Client::pins() const { return impl_->state_->pins(); }

Status Client::trust(std::string_view name, std::string_view key, bool verified) {
  const auto parsed = crypto::public_key_from_hex(key);
  if (!parsed || name.empty()) {
    return failure(ErrorCode::kMalformed, "bad_key", "a key has 64 hex digits");
  }
  SIGNET_TRY([[maybe_unused]] const Done kept,
             impl_->state_->keep_pin(name, crypto::to_hex(*parsed), verified));
  impl_->learn_pins();
  return Done{};
}

Result<std::string> Client::safety_number(std::string_view key) const {
  const auto parsed = crypto::public_key_from_hex(key);
  if (!parsed) return failure(ErrorCode::kMalformed, "bad_key", "a key has 64 hex digits");
  return client::safety_number(impl_->options_.membership.mesh_id, impl_->key_.public_key(),
                               *parsed);
}

}  // namespace signet
