// What is behind signet::Client: one thread that connects, sends, takes in and calls handlers, and
// what callers on other threads share with it. The public methods are in client.cc, the thread's
// loop in client_thread.cc.
//
// Shared under mutex_: the connection's report, the directory, what wakes waiters. State and Reader
// have their own locks. All else belongs to the thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "base/mailbox.h"
#include "base/time.h"
#include "client/backoff.h"
#include "client/directory.h"
#include "client/intake.h"
#include "client/outbox_pump.h"
#include "client/publisher.h"
#include "client/reader.h"
#include "client/requests.h"
#include "client/session.h"
#include "client/state.h"
#include "client/subscriptions.h"
#include "client/url.h"
#include "net/outgoing_socket.h"
#include "signet/client.h"

namespace signet {

// How long a message waits for its sender's name, while names are asked for.
inline constexpr std::chrono::milliseconds kNamesFirst{1'000};
// Likewise for the key of a sealed message, which was asked for when the message came.
inline constexpr std::chrono::milliseconds kKeysFirst{2'000};

struct Client::Impl : private client::SessionEvents {
 public:
  Impl(ClientOptions options, Handlers handlers, client::Url url,
       std::unique_ptr<client::State> state);
  ~Impl() override;

  void start();
  void stop();  // joins the thread

  // --- any thread ---
  bool is_own_thread() const { return std::this_thread::get_id() == thread_id_.load(); }
  void post(Mailbox::Task task) { mailbox_.post(std::move(task)); }

  // Asks the broker and waits; kBug when called from a handler.
  Result<dialects::Answer> ask(client::Requests::Kind kind, std::string subject,
                               std::chrono::milliseconds timeout,
                               std::optional<std::uint64_t> after = {}, std::size_t limit = 0);
  // What to say when nothing came within a timeout.
  Error unanswered() const;
  // Says a pulse; `done` is called once.
  void publish(client::Publisher::Pulse pulse);
  // Waits until `done()` (called under mutex_), something changes every now and then, or the
  // timeout; whether it was done.
  template <class Predicate>
  bool wait_until(std::chrono::milliseconds timeout, Predicate done);

  Result<client::Found> find_now(std::string_view who);  // pins it where it is new
  void learn_pins();                                     // from the state into the directory
  void learn_members(std::vector<Member> members);
  Message message_of(const client::StoredPush& push);
  void wait_for_names(const std::vector<client::StoredPush>& pushes);
  std::vector<Message> wait_for_keys(const std::vector<client::StoredPush>& pushes);
  void confirmed(std::vector<std::string> message_ids);  // tells the broker

  const ClientOptions options_;
  const Handlers handlers_;
  const client::Url url_;
  const crypto::SecretKey& key_;
  const std::string& own_;  // hex64
  const std::unique_ptr<client::State> state_;
  client::Reader reader_;

  std::mutex learning_;  // of learn_pins; taken before mutex_
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  ConnectionReport connection_;                      // under mutex_
  Error last_failure_{ErrorCode::kUnavailable, ""};  // under mutex_
  std::set<std::string> keyless_;       // under mutex_: senders whose keys did not come for read()
  client::Directory directory_;         // under mutex_
  std::uint64_t changes_ = 0;           // under mutex_: counts what wakes waiters
  std::optional<Activity> activity_;    // under mutex_
  std::optional<std::string> summary_;  // under mutex_

 private:
  friend class Client;

  void run();
  Status run_connection();  // until it ends; the error says why
  void run_session(net::OutgoingSocket& socket);
  void turn(Elapsed now);                                     // what may be said and shown
  bool move_bytes(net::OutgoingSocket& socket, Elapsed now);  // sleeps; false: it is over
  void read_all(net::OutgoingSocket& socket, Elapsed now);
  void write_all(net::OutgoingSocket& socket);
  void say_goodbye(net::OutgoingSocket& socket);
  void pause(std::chrono::milliseconds wait);  // between connections
  std::chrono::milliseconds sleep_time(Elapsed now) const;
  void report(const ConnectionReport& report);
  void disconnected();

  void on_admitted(const dialects::HelloAnswer& answer) override;
  void on_answer(dialects::Answer answer) override;
  void on_error(const dialects::ErrorAnswer& error);
  void on_receipt(const dialects::ReceiptAnswer& receipt);
  void settle();
  void ask_directory(Elapsed now);
  void name_senders(const std::vector<std::string>& senders, Elapsed now);
  void pin_senders();
  void tell_changes();
  void deliver();  // to on_message
  void deliver_pulses();
  bool key_may_come(const Message& message, Elapsed now);
  void keep_for_later(std::span<const client::StoredPush> pushes, Elapsed now);
  void tell_sent(const std::string& ticket);
  void notify();
  client::Say say();

  net::Waker stop_waker_;  // ends a connect; set once
  net::Waker waker_;
  Mailbox mailbox_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> directory_pending_{false};  // names are asked for
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;

  // --- the thread's own ---
  client::Sealing sealing_;
  client::Requests requests_;
  client::Subscriptions subscriptions_;
  client::Publisher publisher_;
  client::OutboxPump pump_;
  client::Intake intake_;
  client::Backoff backoff_;
  std::optional<client::Session> session_;
  bool refused_ = false;    // by the broker's last word; nobody waits for its answers
  bool pushed_ = false;     // something came that is to be settled
  bool to_deliver_ = true;  // the inbox may hold something for on_message
  Elapsed admitted_at_;
  Elapsed looked_at_;  // when other processes' leftovers were looked for
  std::optional<Elapsed> directory_asked_;
  bool directory_known_ = false;
  std::set<std::string> unnamed_;  // senders whose name is still to be learned
  std::set<std::string> told_changes_;
  std::string awaits_key_;  // the message that on_message waits with, for its key
  Elapsed awaited_since_, deliver_after_;
  std::set<std::string> without_keys_;  // senders whose keys did not come, of this connection
};

template <class Predicate>
bool Client::Impl::wait_until(std::chrono::milliseconds timeout, Predicate done) {
  // Leases of processes that died become free without anybody saying so: look again now and then.
  constexpr std::chrono::milliseconds kLookAgain{500};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (done()) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || stopping_) return false;
    std::unique_lock lock(mutex_);
    const std::uint64_t before = changes_;
    changed_.wait_until(lock, std::min(deadline, now + kLookAgain),
                        [&] { return changes_ != before || stopping_; });
  }
}

}  // namespace signet
