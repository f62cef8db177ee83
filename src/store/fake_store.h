// FakeStore is the Store of tests: everything in memory, and nothing is answered until work() is
// called, so that a test decides what happens before an answer. Answers can be scripted.
// Not for two threads at once: whoever uses it from another thread waits for that thread.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "store/store.h"

namespace signet::store {

class FakeStore final : public Store {
 public:
  // What a test scripts. Each list is used up front to back; then the store answers by itself.
  std::vector<membership::Change> at_start;
  std::deque<PublishOutcome> publish_outcomes;
  std::deque<HelloOutcome> hello_outcomes;
  std::deque<Status> commit_answers;  // kConflict and the like; nothing is committed then
  int failing_reads = 0;
  std::size_t page_limit = 256;  // below what a query asks for, to make many pages
  Status probe_answer = Done{};
  std::vector<DeadLetter> dead;
  std::deque<Result<Requeued>> requeue_answers;  // nothing requeued when there is none

  // What a test looks at.
  std::vector<Publish> published;
  std::vector<std::pair<MemberNumber, MessageNumber>> confirmed;
  std::vector<AdmitHello> hellos;
  std::vector<membership::Change> committed;
  std::vector<MailboxQuery> reads;
  std::vector<RequeueDead> requeues;

  // Does what was asked so far, in order, and posts the answers. True when there was anything.
  bool work() {
    const bool any = !inbox_.empty();
    for (auto& command : std::exchange(inbox_, {})) command();
    return any;
  }
  bool is_idle() const { return inbox_.empty(); }
  std::size_t waiting_for(MemberNumber member) const {
    const auto mailbox = mailboxes_.find(member);
    return mailbox == mailboxes_.end() ? 0 : mailbox->second.size();
  }

  std::vector<membership::Change> membership_at_start() override { return at_start; }
  void start(OnStored on_stored) override { on_stored_ = std::move(on_stored); }

  void publish(Publish command, Mailbox& to, std::function<void(PublishAnswer)> answer) override {
    published.push_back(command);
    later([this, &to, command = std::move(command), answer = std::move(answer)] {
      const PublishAnswer made = store(command);
      to.post([answer, made] { answer(made); });
    });
  }
  void confirm(MemberNumber member, std::vector<MessageNumber> numbers, Mailbox& to,
               std::function<void(std::vector<MessageNumber>)> answer) override {
    std::vector<MessageNumber> waited;
    for (const MessageNumber number : numbers) {
      confirmed.emplace_back(member, number);
      if (mailboxes_[member].erase(number) == 1) waited.push_back(number);
    }
    if (answer) to.post([answer, waited] { answer(waited); });
  }
  void admit_hello(AdmitHello command, Mailbox& to,
                   std::function<void(HelloOutcome)> answer) override {
    hellos.push_back(command);
    later([this, &to, command, answer = std::move(answer)] {
      HelloOutcome outcome = HelloOutcome::kAdmitted;
      const std::tuple seen{command.member, command.timestamp_ms, command.digest};
      if (!hello_outcomes.empty()) {
        outcome = hello_outcomes.front();
        hello_outcomes.pop_front();
      } else if (seen_hellos_.contains(seen)) {
        outcome = HelloOutcome::kReplayed;
      } else if (command.remember) {
        seen_hellos_.insert(seen);
      }
      to.post([answer, outcome] { answer(outcome); });
    });
  }
  void commit(std::vector<membership::Change> changes, Mailbox& to,
              std::function<void(Status)> answer) override {
    later([this, &to, changes = std::move(changes), answer = std::move(answer)] {
      Status status = Done{};
      if (!commit_answers.empty()) {
        status = commit_answers.front();
        commit_answers.pop_front();
      }
      if (status.ok()) committed.insert(committed.end(), changes.begin(), changes.end());
      to.post([answer, status] { answer(status); });
    });
  }
  void read_mailbox(MailboxQuery query, Mailbox& to,
                    std::function<void(Result<MailboxPage>)> answer) override {
    reads.push_back(query);
    later([this, &to, query, answer = std::move(answer)] {
      Result<MailboxPage> page = Error{ErrorCode::kUnavailable, "scripted"};
      if (failing_reads > 0) {
        --failing_reads;
      } else {
        page = page_of(query);
      }
      to.post([answer, page] { answer(page); });
    });
  }
  void list_dead(MeshNumber, MessageNumber, std::size_t limit, Mailbox& to,
                 std::function<void(Result<std::vector<DeadLetter>>)> answer) override {
    later([this, limit, &to, answer = std::move(answer)] {
      std::vector<DeadLetter> some(
          dead.begin(), dead.begin() + static_cast<std::ptrdiff_t>(std::min(limit, dead.size())));
      to.post([answer, some] { answer(some); });
    });
  }
  void requeue_dead(RequeueDead command, Mailbox& to,
                    std::function<void(Result<Requeued>)> answer) override {
    requeues.push_back(command);
    later([this, &to, answer = std::move(answer)] {
      Result<Requeued> done = Requeued{};
      if (!requeue_answers.empty()) {
        done = requeue_answers.front();
        requeue_answers.pop_front();
      }
      to.post([answer, done] { answer(done); });
    });
  }
  void probe(Mailbox& to, std::function<void(Status)> answer) override {
    later([this, &to, answer = std::move(answer)] {
      to.post([answer, status = probe_answer] { answer(status); });
    });
  }
  void sweep_for_test(WallTime, Mailbox& to, std::function<void()> answer) override {
    later([&to, answer = std::move(answer)] { to.post(answer); });
  }

 private:
  struct Known {
    crypto::Digest16 content;
    std::size_t queued;
  };

  void later(std::function<void()> command) { inbox_.push_back(std::move(command)); }

  PublishAnswer store(const Publish& command) {
    if (!publish_outcomes.empty()) {
      const PublishOutcome outcome = publish_outcomes.front();
      publish_outcomes.pop_front();
      if (outcome != PublishOutcome::kStored) return {outcome, 0, 0};
    }
    const auto known = known_.find(command.envelope->id);
    if (known != known_.end()) {
      const bool same = known->second.content == command.content;
      return {same ? PublishOutcome::kDuplicate : PublishOutcome::kIdReused,
              same ? known->second.queued : 0, 0};
    }
    known_[command.envelope->id] = {command.content, command.recipients.size()};
    const MessageNumber number{++last_};
    for (const MemberNumber member : command.recipients) {
      mailboxes_[member][number] = command.envelope;
    }
    auto batch = std::make_shared<DeliveryBatch>();
    batch->push_back({number, command.envelope, command.recipients});
    if (on_stored_) on_stored_(batch);
    return {PublishOutcome::kStored, command.recipients.size(), 0};
  }

  MailboxPage page_of(const MailboxQuery& query) {
    MailboxPage page;
    for (const auto& [number, envelope] : mailboxes_[query.member]) {
      const bool urgent = envelope->priority == routing::Priority::kNow;
      const bool beyond =
          urgent ? number > query.urgent_after : !query.urgent_only && number > query.other_after;
      if (!beyond) continue;
      if (page.items.size() == std::min(page_limit, query.max_messages)) return page;
      page.items.push_back({number, envelope});
    }
    page.complete = true;
    return page;
  }

  OnStored on_stored_;
  std::deque<std::function<void()>> inbox_;
  std::map<routing::MessageId, Known> known_;
  std::map<MemberNumber, std::map<MessageNumber, std::shared_ptr<const routing::Envelope>>>
      mailboxes_;
  std::set<std::tuple<MemberNumber, std::int64_t, crypto::Digest16>> seen_hellos_;
  std::int64_t last_ = 0;
};

}  // namespace signet::store
