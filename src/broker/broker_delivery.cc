// A message out: pushed live or from the mailbox, and confirmed by the receiver's side only.
#include <cstring>

#include "base/encoding.h"
#include "base/log.h"
#include "broker/broker.h"

namespace signet::broker {
namespace {

bool is_urgent(const routing::Envelope& envelope) {
  return envelope.priority == routing::Priority::kNow;
}

// A confirming ping carries how many pushes it covers; its pong brings the number back.
constexpr std::size_t kPingBytes = sizeof(std::uint64_t);

}  // namespace

void Broker::on_stored(const store::DeliveryBatch& batch) {
  for (const store::Delivery& delivery : batch) {
    std::string frame;  // encoded once, when somebody is here to get it
    for (const MemberNumber recipient : delivery.recipients) {
      const auto found = sessions_.find(recipient);
      if (found == sessions_.end()) continue;
      for (Session* session : found->second) {
        if (session->conversation != Conversation::kMail) continue;
        offer(static_cast<MailSession&>(*session), delivery, frame);
      }
    }
  }
}

void Broker::offer(MailSession& session, const store::Delivery& delivery, std::string& frame) {
  update_window(session);
  if (!session.cursor.offer(delivery.number, is_urgent(*delivery.envelope))) {
    return read_on(session);
  }
  if (frame.empty()) frame = encode_push(session.dialect, *delivery.envelope);
  push(session, delivery.number, *delivery.envelope, frame);
}

std::string Broker::encode_push(const dialects::Dialect& dialect,
                                const routing::Envelope& envelope) {
  const membership::MeshSnapshot* mesh = snapshot_->mesh(envelope.mesh);
  const membership::Member* sender = mesh == nullptr ? nullptr : mesh->member(envelope.sender);
  const std::string key = sender == nullptr ? std::string() : membership::key_text(*sender);
  const std::string_view mesh_id = mesh == nullptr ? std::string_view() : mesh->mesh().id;
  std::string frame;
  wire::append_frame(frame, wire::Opcode::kText,
                     dialect.write(dialects::Pushed{envelope, mesh_id, key}));
  return frame;
}

void Broker::push(MailSession& session, MessageNumber number, const routing::Envelope& envelope,
                  std::string_view frame) {
  if (session.connection.send_encoded(frame) == net::Sent::kDropped) {
    // The window keeps the queue below its limit, so this is a reader that stopped; what it lacks
    // stays in its mailbox.
    return session.connection.close(CloseReason::kSlowConsumer);
  }
  shared_.metrics.pushes.add();
  session.unconfirmed.push({number, envelope.id, envelope.sender,
                            static_cast<std::uint32_t>(frame.size()), envelope.receipts, 0});
  pushed_.push_back(session.connection.id());
}

void Broker::update_window(MailSession& session) {
  const BrokerOptions& options = shared_.options;
  session.cursor.set_window_open(session.unconfirmed.count() < options.unconfirmed_messages &&
                                 session.unconfirmed.bytes() < options.unconfirmed_bytes &&
                                 session.connection.queued_bytes() < options.high_water_bytes);
}

void Broker::read_on(MailSession& session) {
  update_window(session);
  const auto query = session.cursor.next_read(session.member);
  if (!query) return;
  shared_.store.read_mailbox(*query, mailbox(),
                             [this, id = session.connection.id()](
                                 const Result<store::MailboxPage>& page) { on_page(id, page); });
}

void Broker::on_page(Id id, const Result<store::MailboxPage>& page) {
  MailSession* session = mail_at(id);
  if (session == nullptr) return;
  if (!page.ok()) {
    log(LogLevel::kError, "mailbox.read_failed", {{"detail", page.error().detail}});
    session->cursor.read_failed();
    return shard_.after(shared_.options.read_retry, [this, id] {
      if (MailSession* later = mail_at(id)) read_on(*later);
    });
  }
  for (const store::MailboxItem& item : page->items) {
    update_window(*session);
    if (!session->cursor.page_item(item.number, is_urgent(*item.envelope))) continue;
    push(*session, item.number, *item.envelope, encode_push(session->dialect, *item.envelope));
  }
  session->cursor.page_end(page->complete);
  read_on(*session);
}

// One ping is out at a time: under load a pong covers many pushes.
void Broker::ask_for_pong(MailSession& session) {
  const bool nothing_new = session.unconfirmed.count() == 0;
  if (session.confirms_itself || session.pinged_index != 0 || nothing_new) return;
  const std::uint64_t index = session.unconfirmed.last_index();
  std::array<char, kPingBytes> payload{};
  std::memcpy(payload.data(), &index, kPingBytes);
  const net::Sent sent =
      session.connection.send(wire::Opcode::kPing, {payload.data(), payload.size()});
  if (sent != net::Sent::kDropped) session.pinged_index = index;  // else on_drained() asks again
}

void Broker::on_mail_pong(MailSession& session, std::string_view payload) {
  if (session.pinged_index == 0 || payload.size() != kPingBytes) return;
  std::uint64_t index = 0;
  std::memcpy(&index, payload.data(), kPingBytes);
  if (index != session.pinged_index) return;
  session.pinged_index = 0;
  if (session.confirms_itself) return;  // it began to send receipts meanwhile
  const auto confirmed = session.unconfirmed.confirm_up_to(index);
  shared_.metrics.confirmed_by_pong.add(static_cast<std::int64_t>(confirmed.size()));
  confirm(session, confirmed);
  ask_for_pong(session);
}

void Broker::confirm(MailSession& session, const std::vector<PushedMessage>& messages) {
  std::vector<MessageNumber> numbers;
  numbers.reserve(messages.size());
  std::vector<PushedMessage> asked;  // whose senders want to be told
  for (const PushedMessage& message : messages) {
    numbers.push_back(message.number);
    session.recent.push_back(message);
    if (message.receipts) asked.push_back(message);
  }
  while (session.recent.size() > shared_.options.recent_confirmed) session.recent.pop_front();
  std::function<void(const std::vector<MessageNumber>&)> answer;
  if (!asked.empty()) {
    answer = [this, asked, by = key_of(session)](const std::vector<MessageNumber>& waited) {
      for (const PushedMessage& message : asked) {
        const bool first = std::find(waited.begin(), waited.end(), message.number) != waited.end();
        if (first) announce(by, message, dialects::ReceiptState::kReceived);
      }
    };
  }
  if (!numbers.empty()) {
    shared_.store.confirm(session.member, std::move(numbers), mailbox(), std::move(answer));
  }
  read_on(session);
}

void Broker::on_receipt(MailSession& session, const dialects::Receipt& receipt) {
  session.confirms_itself = true;
  if (const auto waiting = session.unconfirmed.confirm(receipt.message)) {
    shared_.metrics.confirmed_by_receipt.add();
    confirm(session, {*waiting});
  } else if (receipt.state == dialects::ReceiptState::kReceived) {
    const bool known = std::any_of(session.recent.begin(), session.recent.end(),
                                   [&](const auto& m) { return m.id == receipt.message; });
    if (!known) refuse(session, Refusal::kNoSuchMessage, {});
    return;
  }
  if (receipt.state != dialects::ReceiptState::kRead) return;
  for (PushedMessage& message : session.recent) {
    if (message.id != receipt.message) continue;
    if (!std::exchange(message.receipts, false)) return;  // once a session
    // After what is confirmed and not committed yet: `received` goes before `read`.
    return shared_.store.confirm(session.member, {}, mailbox(),
                                 [this, message, by = key_of(session)](const auto&) {
                                   announce(by, message, dialects::ReceiptState::kRead);
                                 });
  }
  refuse(session, Refusal::kNoSuchMessage, {});
}

std::string Broker::key_of(const Session& session) const {
  const membership::Member* member = member_of(session);
  return member == nullptr ? std::string() : membership::key_text(*member);
}

void Broker::announce(const std::string& by, const PushedMessage& message,
                      dialects::ReceiptState state) {
  for (Broker* broker : shared_.brokers) {
    const auto tell = [broker, sender = message.sender, id = message.id, state, by] {
      broker->tell_sender(sender, {id, state, by});
    };
    if (broker == this) {
      tell();
    } else {
      broker->mailbox().post(tell);
    }
  }
}

void Broker::tell_sender(MemberNumber sender, const dialects::ReceiptNotice& notice) {
  const auto found = sessions_.find(sender);
  if (found == sessions_.end()) return;
  for (Session* session : found->second) {  // other formats have no such word
    if (session->conversation == Conversation::kMail) say(*session, notice);
  }
}

void Broker::on_drained(net::Connection& connection) {
  Session* session = session_at(connection.id());
  if (session == nullptr) return;
  topics_.on_drained(*session);
  if (MailSession* mail = mail_at(connection.id())) {
    read_on(*mail);
    ask_for_pong(*mail);
  }
}

}  // namespace signet::broker
