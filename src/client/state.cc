#include "client/state.h"

#include <mutex>
#include <set>
#include <utility>

#include "client/state_file.h"
#include "client/state_inbox.h"
#include "client/state_keys.h"
#include "client/state_outbox.h"
#include "crypto/wipe.h"

namespace signet::client {

struct State::Impl {
  Impl(const StateOptions& asked, crypto::StateBox sealing, StateFile opened)
      : options(asked), box(std::move(sealing)), file(std::move(opened)) {}

  template <class Work>
  auto write(Work work) {
    const std::lock_guard held(mutex);
    return file.database->write(std::move(work));
  }
  template <class Work>
  auto read(Work work) {
    const std::lock_guard held(mutex);
    return file.database->read(std::move(work));
  }

  // Runs `work` after what dead holders had was freed, in the same transaction.
  template <class Work>
  auto write_after_the_dead(Work work) {
    std::set<std::string> dead;
    auto answer = write([&] {
      dead = find_dead();
      for (const std::string& holder : dead) free(holder);
      return work();
    });
    if (answer.ok() && file.holders) {
      for (const std::string& holder : dead) file.holders->forget(holder);
    }
    return answer;
  }

  std::set<std::string> find_dead() {
    std::set<std::string> dead;
    for (const auto& found : {outbox.holders(), inbox.holders()})
      dead.insert(found.begin(), found.end());
    std::erase_if(dead, [this](const std::string& holder) {
      return holder == file.holder.id() || (file.holders && file.holders->is_alive(holder));
    });
    return dead;
  }
  void free(std::string_view holder) {
    outbox.free(holder);
    inbox.free(holder);
  }

  ~Impl() {
    // A disk that refuses leaves them to whoever finds this holder dead.
    static_cast<void>(write([this]() -> Status {
      free(file.holder.id());
      return Done{};
    }));
  }

  const StateOptions options;
  const crypto::StateBox box;
  StateFile file;
  std::mutex mutex;  // over everything below, and over the transactions of the database
  OutboxTable outbox{*file.database, box, options};
  InboxTable inbox{*file.database, options};
  KeyTables keys{*file.database, box, options};
};

State::State(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
State::~State() = default;

Result<std::unique_ptr<State>> State::open(const StateOptions& options,
                                           const crypto::SecretKey& identity) {
  crypto::StateBox box(identity);
  SIGNET_TRY(StateFile file, open_state_file(options, {identity.public_key(), box}));
  return std::unique_ptr<State>(
      new State(std::make_unique<Impl>(options, std::move(box), std::move(file))));
}

Result<std::string> State::enqueue(OutboxEntry entry) {
  return impl_->write([&] { return impl_->outbox.enqueue(std::move(entry), ""); });
}
Result<std::string> State::enqueue_claimed(OutboxEntry entry) {
  return impl_->write(
      [&] { return impl_->outbox.enqueue(std::move(entry), impl_->file.holder.id()); });
}
Result<std::vector<OutboxEntry>> State::claim_outbox() {
  return impl_->write_after_the_dead([&] { return impl_->outbox.claim(impl_->file.holder.id()); });
}
Status State::keep_attempt(std::string_view ticket, std::string_view nonce,
                           std::string_view ciphertext, std::string_view audience) {
  return impl_->write(
      [&] { return impl_->outbox.keep_attempt(ticket, nonce, ciphertext, audience); });
}
Status State::mark_stored(std::string_view ticket, std::string_view message_id,
                          std::int64_t recipients) {
  return impl_->write([&] { return impl_->outbox.mark_stored(ticket, message_id, recipients); });
}
Status State::mark_refused(std::string_view ticket, std::string_view code) {
  return impl_->write([&] { return impl_->outbox.mark_refused(ticket, code); });
}
Result<std::optional<SendReport>> State::mark_receipt(std::string_view message_id, SendState state,
                                                      std::string_view by) {
  return impl_->write([&] { return impl_->outbox.mark_receipt(message_id, state, by); });
}
Status State::cancel(std::string_view ticket) {
  return impl_->write([&] { return impl_->outbox.cancel(ticket); });
}
Result<SendReport> State::report(std::string_view ticket) const {
  return impl_->read([&] { return impl_->outbox.report(ticket); });
}
Result<std::vector<SendReport>> State::waiting() const {
  return impl_->read([&] { return impl_->outbox.waiting(); });
}

Result<std::vector<Taken>> State::take_in(const std::vector<StoredPush>& pushes) {
  return impl_->write([&] { return impl_->inbox.take_in(pushes); });
}
Result<std::vector<StoredPush>> State::lease(std::size_t most) {
  return impl_->write_after_the_dead(
      [&] { return impl_->inbox.lease(most, impl_->file.holder.id()); });
}
Result<std::vector<std::string>> State::confirm(const std::vector<std::string>& message_ids) {
  return impl_->write([&] { return impl_->inbox.confirm(message_ids, impl_->file.holder.id()); });
}
Status State::give_back(const std::vector<std::string>& message_ids) {
  return impl_->write([&] { return impl_->inbox.give_back(message_ids, impl_->file.holder.id()); });
}
Result<std::vector<StoredPush>> State::unread(std::size_t most) const {
  return impl_->read([&] { return impl_->inbox.unread(most); });
}
Result<std::vector<StoredPush>> State::history(std::size_t most) const {
  return impl_->read([&] { return impl_->inbox.history(most); });
}
std::size_t State::room() const {
  const auto room = impl_->read([&]() -> Result<std::size_t> { return impl_->inbox.room(); });
  return room.ok() ? *room : 0;
}

Result<std::optional<OwnChannelKey>> State::own_key(std::string_view target) const {
  return impl_->read([&] { return impl_->keys.own_key(target); });
}
Status State::keep_own_key(const OwnChannelKey& key) {
  return impl_->write([&] { return impl_->keys.keep_own_key(key); });
}
Result<KeyOffer> State::offer_own_key(std::string_view target,
                                      const std::vector<std::string>& audience, WallTime now,
                                      const MakeKey& make) {
  KeyOffer offer;
  const Status kept = impl_->write([&]() -> Status {
    auto made = impl_->keys.offer_own_key(target, audience, now, make);
    if (!made.ok()) return made.error();
    offer = *std::move(made);
    return Done{};
  });
  if (kept.ok()) return offer;
  crypto::wipe(offer.key.key);
  return kept.error();
}
Result<std::int64_t> State::others_version() const {
  const std::lock_guard held(impl_->mutex);
  const std::int64_t version = impl_->file.database->number("PRAGMA data_version");
  if (impl_->file.database->failed()) return impl_->file.database->take_error();
  return version;
}
Status State::add_key_holder(std::string_view target, std::string_view key_id,
                             std::string_view member) {
  return impl_->write([&] { return impl_->keys.add_key_holder(target, key_id, member); });
}
Status State::keep_peer_key(std::string_view sender, std::string_view target,
                            std::string_view key_id, std::string_view key) {
  return impl_->write([&] { return impl_->keys.keep_peer_key(sender, target, key_id, key); });
}
Result<std::optional<std::string>> State::peer_key(std::string_view sender, std::string_view target,
                                                   std::string_view key_id) const {
  return impl_->read([&] { return impl_->keys.peer_key(sender, target, key_id); });
}

Result<std::vector<Pin>> State::pins() const {
  return impl_->read([&] { return impl_->keys.pins(); });
}
Result<std::optional<Pin>> State::pin(std::string_view name) const {
  return impl_->read([&] { return impl_->keys.pin(name); });
}
Status State::keep_pin(std::string_view name, std::string_view key, bool verified) {
  const WallTime now = system_clock().wall();
  return impl_->write([&] { return impl_->keys.keep_pin(name, key, verified, now); });
}
Result<Pin> State::first_pin(std::string_view name, std::string_view key) {
  SIGNET_TRY(std::optional<Pin> known, pin(name));  // the usual case writes nothing
  if (known) return *std::move(known);
  const WallTime now = system_clock().wall();
  return impl_->write([&] { return impl_->keys.first_pin(name, key, now); });
}

}  // namespace signet::client
