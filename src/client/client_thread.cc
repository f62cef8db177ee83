// The thread of a Client: connect, say hello, then turn after turn: what may be said, what came,
// and a sleep until something happens.
#include <unistd.h>

#include <algorithm>
#include <array>

#include "client/broker_codes.h"
#include "client/client_impl.h"
#include "client/identity_access.h"
#include "crypto/random.h"

namespace signet {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{1'000};   // at what processes that died have left
constexpr milliseconds kGoodAfter{10'000};  // an admitted connection that lasts is no failure
constexpr milliseconds kKeysAgain{100};     // between looks whether it has come
// Between lists that only names are wanted from: one of a large mesh is half a megabyte.
constexpr milliseconds kNamesAgain{3'000};
constexpr milliseconds kManyNamesAgain{60'000};
constexpr std::size_t kManyNames = 1'000;
constexpr milliseconds kDirectoryTimeout{15'000};
// After a refusal that no retry changes; a person may: a quarantine ends, a mesh is made again.
constexpr milliseconds kRefusedAgain{120'000};
constexpr milliseconds kGoodbye{200};       // for the last bytes of a client that stops
constexpr std::size_t kDeliverAtOnce = 16;  // then the socket has its turn
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kReadsATurn = 16;  // 1 MiB, then what came is settled

std::string_view name_of(Activity activity) {
  switch (activity) {
    case Activity::kWorking:
      return "working";
    case Activity::kDnd:
      return "dnd";
    case Activity::kIdle:
      break;
  }
  return "idle";
}

client::SessionIdentity session_identity(const ClientOptions& options,
                                         const crypto::SecretKey& key) {
  client::SessionIdentity identity;
  identity.mesh_id = options.membership.mesh_id;
  identity.member_id = options.membership.member_id;
  identity.key = &key;
  identity.session_id = crypto::random_hex(8);
  identity.display_name = options.display_name;
  std::array<char, 1'024> cwd{};
  if (getcwd(cwd.data(), cwd.size()) != nullptr) identity.cwd = cwd.data();
  identity.pid = getpid();
  return identity;
}

net::Endpoint endpoint_of(const client::Url& url, const TlsTrust& trust) {
  net::TcpEndpoint endpoint{url.host, url.port};
  if (url.secure) endpoint.tls = net::TlsOptions{trust.ca_file, "", trust.allow_tls12};
  return endpoint;
}

Error with_code(const Error& error, std::string_view code) {
  return {error.code, std::string(code) + ": " + error.detail};
}

std::int64_t draw_below(std::uint64_t below) {
  return static_cast<std::int64_t>(crypto::random_below(below));
}

milliseconds draw(milliseconds most) {
  return milliseconds(draw_below(static_cast<std::uint64_t>(most.count())));
}

milliseconds until(Elapsed when, Elapsed now) {
  const auto left = std::chrono::ceil<milliseconds>(when - now);
  return std::max(left, milliseconds(0));
}

}  // namespace

void Client::Impl::start() {
  thread_ = std::thread([this] { run(); });
}

void Client::Impl::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  stop_waker_.wake();
  waker_.wake();
  notify();
  thread_.join();
}

void Client::Impl::run() {
  thread_id_ = std::this_thread::get_id();
  while (!stopping_) {
    const Status ended = run_connection();
    disconnected();
    if (stopping_ || ended.ok()) break;
    const Error& error = ended.error();
    {
      const std::lock_guard lock(mutex_);
      last_failure_ = error;
    }
    refused_ = error.code == ErrorCode::kUnauthorized;
    const milliseconds wait =
        refused_ ? draw(kRefusedAgain) + kRefusedAgain : backoff_.next(draw_below);
    report({refused_ ? ConnectionReport::State::kStopped : ConnectionReport::State::kWaiting,
            error.detail, wait});
    pause(wait);
  }
  requests_.stop({ErrorCode::kUnavailable, "stopped: the client was closed"});
  mailbox_.drain();
}

Status Client::Impl::run_connection() {
  report({ConnectionReport::State::kConnecting, "", milliseconds(0)});
  auto socket = net::OutgoingSocket::connect(endpoint_of(url_, options_.trust),
                                             options_.connect_timeout, &stop_waker_);
  if (!socket.ok()) {
    const auto code = client::code_of_connection(socket.error().code, "unreachable");
    // A certificate can be mended while this runs, so it is tried again.
    return Error{ErrorCode::kUnavailable, with_code(socket.error(), code).detail};
  }
  client::SessionOptions session_options;
  session_options.upgrade_timeout = options_.connect_timeout;
  session_options.hello_timeout = options_.hello_timeout;
  session_.emplace(session_options, session_identity(options_, key_), url_.authority(), url_.path,
                   system_clock().elapsed());
  run_session(*socket);
  if (stopping_ || !session_->end()) return Done{};
  return session_->end()->error;
}

void Client::Impl::run_session(net::OutgoingSocket& socket) {
  while (!stopping_ && !session_->end()) {
    const Elapsed now = system_clock().elapsed();
    turn(now);
    if (!move_bytes(socket, now)) break;
  }
  if (stopping_ && !session_->end()) say_goodbye(socket);
}

void Client::Impl::turn(Elapsed now) {
  mailbox_.drain();
  const Error why = [this] {
    const std::lock_guard lock(mutex_);
    return last_failure_;
  }();
  requests_.expire(now, why);
  publisher_.expire(now);
  if (refused_) requests_.stop(why);
  if (session_ && session_->is_admitted()) {
    if (now - looked_at_ >= kLookAgain) {
      looked_at_ = now;
      pump_.wake();
      to_deliver_ = true;
      if (intake_.has_waiting()) pushed_ = true;
      if (now - admitted_at_ >= kGoodAfter) backoff_.reset();
    }
    subscriptions_.pump(now);
    requests_.pump(now, say());
    // A disk that refuses is told by the calls that need it; here it is tried again.
    (void)pump_.pump(now, system_clock().wall(), say()).ok();
    requests_.pump(now, say());
    settle();
    if (requests_.is_overdue(now) || pump_.is_overdue(now) || publisher_.is_overdue(now)) {
      session_->lost("the broker did not answer in time");
    }
  }
  deliver();
  deliver_pulses();
}

bool Client::Impl::move_bytes(net::OutgoingSocket& socket, Elapsed now) {
  write_all(socket);
  std::array<net::Watch, 1> watches{
      net::Watch{&socket, true, !session_->output().empty(), false, false}};
  net::wait_for_any(watches, &waker_, sleep_time(now));
  waker_.clear();
  const Elapsed woke = system_clock().elapsed();
  if (watches[0].can_read) read_all(socket, woke);
  session_->on_time(woke);
  return !session_->end();
}

milliseconds Client::Impl::sleep_time(Elapsed now) const {
  if (pushed_ && session_->is_admitted()) return milliseconds(0);
  if (subscriptions_.has_pulses()) return milliseconds(0);
  milliseconds most = kLookAgain;
  if (to_deliver_ && handlers_.on_message) most = milliseconds(20);
  most = std::min(most, until(session_->next_deadline(), now));
  if (const auto due = requests_.next_deadline()) most = std::min(most, until(*due, now));
  if (const auto due = pump_.next_deadline(now)) most = std::min(most, until(*due, now));
  if (const auto due = publisher_.next_deadline()) most = std::min(most, until(*due, now));
  if (const auto due = subscriptions_.next_deadline(); due && session_->is_admitted()) {
    most = std::min(most, until(*due, now));
  }
  return most;
}

void Client::Impl::read_all(net::OutgoingSocket& socket, Elapsed now) {
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsATurn && !session_->end(); ++i) {
    const auto got = socket.read_some(bytes);
    if (!got.ok()) {
      const Error& why = got.error();
      return session_->lost(why.detail, client::code_of_connection(why.code, "connection_lost"));
    }
    if (got->has_ended()) return session_->lost("the broker closed the connection");
    if (got->must_wait()) return;
    session_->feed(std::span(bytes).first(got->bytes), now, system_clock().wall(), *this);
  }
}

void Client::Impl::write_all(net::OutgoingSocket& socket) {
  std::string& output = session_->output();
  std::size_t written = 0;
  while (written < output.size()) {
    const auto moved = socket.write_some(std::string_view(output).substr(written));
    if (!moved.ok()) {
      session_->lost(moved.error().detail);
      break;
    }
    if (moved->must_wait()) break;
    written += moved->bytes;
  }
  output.erase(0, written);
}

void Client::Impl::say_goodbye(net::OutgoingSocket& socket) {
  session_->say_goodbye();
  (void)socket.send_all(session_->output(), kGoodbye).ok();
}

void Client::Impl::pause(milliseconds wait) {
  const Elapsed until_then = system_clock().elapsed() + wait;
  for (Elapsed now = system_clock().elapsed(); !stopping_ && now < until_then;
       now = system_clock().elapsed()) {
    turn(now);
    milliseconds sleep = std::min(kLookAgain, until(until_then, now));
    if (const auto due = requests_.next_deadline()) sleep = std::min(sleep, until(*due, now));
    net::wait_for_any({}, &waker_, std::max(sleep, milliseconds(1)));
    waker_.clear();
  }
}

void Client::Impl::disconnected() {
  session_.reset();
  requests_.disconnected();
  subscriptions_.disconnected();
  publisher_.disconnected();
  pump_.disconnected();
  intake_.disconnected();
  pushed_ = false;
  without_keys_.clear();
}

void Client::Impl::report(const ConnectionReport& report) {
  {
    const std::lock_guard lock(mutex_);
    connection_ = report;
  }
  notify();
  if (handlers_.on_connection) handlers_.on_connection(report);
}

client::Say Client::Impl::say() {
  return [this](std::string_view frame) {
    if (session_ && session_->is_admitted()) session_->say(frame);
  };
}

void Client::Impl::notify() {
  {
    const std::lock_guard lock(mutex_);
    ++changes_;
  }
  changed_.notify_all();
}

// --- what the broker says ---

void Client::Impl::on_admitted(const dialects::HelloAnswer&) {
  refused_ = false;
  admitted_at_ = looked_at_ = system_clock().elapsed();
  pump_.connected();
  subscriptions_.connected();
  std::optional<Activity> activity;
  std::optional<std::string> summary;
  {
    const std::lock_guard lock(mutex_);
    activity = activity_;
    summary = summary_;
  }
  if (activity) session_->say(dialects::set_status_frame(name_of(*activity)));
  if (summary) session_->say(dialects::set_summary_frame(*summary));
  // Names are asked for once a process, not once a connection: after a broker's restart everybody
  // comes back at once.
  if (!directory_known_) ask_directory(admitted_at_);
  report({ConnectionReport::State::kConnected, "", milliseconds(0)});
}

void Client::Impl::on_answer(dialects::Answer answer) {
  const Elapsed now = system_clock().elapsed();
  if (auto* push = std::get_if<dialects::PushedMessage>(&answer)) {
    intake_.on_push(std::move(*push));
    pushed_ = true;
  } else if (const auto* ack = std::get_if<dialects::AckAnswer>(&answer)) {
    pump_.on_ack(*ack);
  } else if (const auto* receipt = std::get_if<dialects::ReceiptAnswer>(&answer)) {
    on_receipt(*receipt);
  } else if (const auto* error = std::get_if<dialects::ErrorAnswer>(&answer)) {
    if (!pump_.on_error(*error, now) && !publisher_.on_error(*error)) requests_.on_error(*error);
  } else if (const auto* pulse = std::get_if<dialects::PulseAnswer>(&answer)) {
    subscriptions_.on_pulse(*pulse);
  } else if (const auto* published = std::get_if<dialects::PublishedAnswer>(&answer)) {
    const auto topic = publisher_.on_published(*published);
    if (topic) subscriptions_.on_own(*topic, published->topic_number);
  } else {
    requests_.on_answer(answer, say(), now);
  }
}

void Client::Impl::on_receipt(const dialects::ReceiptAnswer& receipt) {
  const SendState state = receipt.state == "read" ? SendState::kRead : SendState::kReceived;
  const auto marked = state_->mark_receipt(receipt.message_id, state, receipt.by);
  if (marked.ok() && *marked) tell_sent((*marked)->ticket);
}

void Client::Impl::tell_sent(const std::string& ticket) {
  notify();
  if (!handlers_.on_send) return;
  const auto report = state_->report(ticket);
  if (report.ok()) handlers_.on_send(*report);
}

void Client::Impl::settle() {
  if (!pushed_) return;
  pushed_ = false;
  const auto senders = intake_.settle(say());
  if (!senders.ok()) return;  // the disk refuses: what came waits, and is tried again
  if (senders->empty()) return;
  to_deliver_ = true;
  name_senders(*senders, system_clock().elapsed());
  notify();
}

// --- names ---

void Client::Impl::ask_directory(Elapsed now) {
  directory_asked_ = now;
  directory_pending_ = true;
  requests_.ask(
      {client::Requests::Kind::kMembers, "*", now + kDirectoryTimeout,
       [this](Result<dialects::Answer> answer) {
         directory_known_ = true;  // or not to be had
         // Said last: who waits for names finds them.
         const auto told = [this] {
           directory_pending_ = false;
           notify();
         };
         auto* list = answer.ok() ? std::get_if<dialects::MembersAnswer>(&*answer) : nullptr;
         if (list == nullptr) return told();
         std::vector<Member> members;
         for (auto& each : list->members) {
           members.push_back({std::move(each.key), std::move(each.name), std::move(each.role)});
         }
         learn_members(std::move(members));
         pin_senders();
         told();
       }});
}

void Client::Impl::name_senders(const std::vector<std::string>& senders, Elapsed now) {
  unnamed_.insert(senders.begin(), senders.end());
  pin_senders();
  const milliseconds pause = [this] {
    const std::lock_guard lock(mutex_);
    return directory_.members().size() > kManyNames ? kManyNamesAgain : kNamesAgain;
  }();
  if (unnamed_.empty() || (directory_asked_ && now - *directory_asked_ < pause)) return;
  ask_directory(now);
}

// A sender's name is pinned when its first message comes, so that a later namesake shows.
void Client::Impl::pin_senders() {
  constexpr std::size_t kMostUnnamed = 10'000;  // then names are a matter of luck, not of memory
  if (unnamed_.size() > kMostUnnamed) unnamed_.clear();
  for (auto each = unnamed_.begin(); each != unnamed_.end();) {
    std::string listed, shown;
    {
      const std::lock_guard lock(mutex_);
      listed = directory_.listed_name_of(*each);
      shown = directory_.name_of(*each);
    }
    if (listed.empty()) {
      ++each;
      continue;
    }
    if (!shown.empty()) (void)state_->first_pin(listed, *each).ok();
    each = unnamed_.erase(each);
  }
  learn_pins();
  tell_changes();
}

void Client::Impl::tell_changes() {
  std::vector<KeyChange> changes;
  {
    const std::lock_guard lock(mutex_);
    changes = directory_.changes();
  }
  for (const KeyChange& change : changes) {
    const bool is_new = told_changes_.insert(change.name + change.seen_key).second;
    if (is_new && handlers_.on_key_change) handlers_.on_key_change(change);
  }
}

// --- handlers ---

// The key was asked for when the message came. A sender that did not answer once is not waited for
// again on this connection: with keys that nobody has, a member could hold up all that follows.
bool Client::Impl::key_may_come(const Message& message, Elapsed now) {
  if (message.why != "key_missing" || without_keys_.contains(message.sender_key)) return false;
  if (awaits_key_ != message.id) {
    awaits_key_ = message.id;
    awaited_since_ = now;
  }
  if (now - awaited_since_ < kKeysFirst) return true;
  without_keys_.insert(message.sender_key);
  return false;
}

void Client::Impl::keep_for_later(std::span<const client::StoredPush> pushes, Elapsed now) {
  std::vector<std::string> ids;
  for (const client::StoredPush& push : pushes) ids.push_back(push.message_id);
  to_deliver_ = true;
  deliver_after_ = now + kKeysAgain;
  (void)state_->give_back(ids).ok();  // a disk that refuses: they are shown by the next start
}

// A slow handler of pulses holds up neither the socket nor messages for longer than this and
// itself.
void Client::Impl::deliver_pulses() {
  constexpr milliseconds kAtOnce{20};
  const Elapsed until_then = system_clock().elapsed() + kAtOnce;
  subscriptions_.deliver([&] { return !stopping_ && system_clock().elapsed() < until_then; });
}

void Client::Impl::publish(client::Publisher::Pulse pulse) {
  const bool connected = session_ && session_->is_admitted();
  if (connected) return publisher_.publish(std::move(pulse), system_clock().elapsed(), say());
  if (!pulse.done) return;
  const Error why = [this] {
    const std::lock_guard lock(mutex_);
    return last_failure_;
  }();
  pulse.done(Error{ErrorCode::kUnavailable, why.detail});
}

void Client::Impl::deliver() {
  if (!handlers_.on_message || !to_deliver_) return;
  const bool connected = session_ && session_->is_admitted();
  const bool names_may_come =
      connected && directory_pending_ && system_clock().elapsed() - *directory_asked_ < kNamesFirst;
  const Elapsed now = system_clock().elapsed();
  if (names_may_come || now < deliver_after_) return;
  const auto leased = state_->lease(kDeliverAtOnce);
  to_deliver_ = leased.ok() && leased->size() == kDeliverAtOnce;
  if (!leased.ok()) return;
  for (std::size_t i = 0; i < leased->size(); ++i) {
    const client::StoredPush& push = (*leased)[i];
    if (stopping_) return;
    const Message message = message_of(push);
    if (key_may_come(message, now)) return keep_for_later(std::span(*leased).subspan(i), now);
    handlers_.on_message(message);
    const auto done = state_->confirm({push.message_id});
    if (done.ok() && connected) say()(dialects::receipt_frame(push.message_id, "read"));
  }
}

}  // namespace signet
