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
  std::deque<NonceOutcome> nonce_outcomes;
  std::deque<Status> job_answers;     // of put_jobs(); nothing is written where it is an error
  int failing_loads = 0;              // of load_jobs()
  std::deque<Status> commit_answers;  // kConflict and the like; nothing is committed then
  std::deque<Status> append_answers;  // of append_log()
  Result<std::string> checkpoint = std::string();
  Result<LogProof> proof = LogProof{};
  int failing_reads = 0;
  std::size_t page_limit = 256;  // below what a query asks for, to make many pages
  Status probe_answer = Done{};
  std::vector<DeadLetter> dead;
  std::deque<Result<Requeued>> requeue_answers;  // nothing requeued when there is none

  // What a test looks at.
  std::vector<Publish> published;
  std::vector<std::pair<MemberNumber, MessageNumber>> confirmed;
  std::vector<AdmitHello> hellos;
  std::vector<SpendNonce> nonces;
  std::map<std::string, jobs::Job> job_rows;  // by id; what is there at first is a test's to put
  std::vector<membership::Change> committed;
  std::vector<std::string> words;  // on whose word, of each commit
  // By kind and name; what is there at first is a test's to put.
  std::map<std::pair<std::string, std::string>, SealedRow> sealed_rows;
  std::vector<SealedReport> reports;
  std::vector<audit::Draft> logged;
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
  void spend_nonce(SpendNonce command, Mailbox& to,
                   std::function<void(NonceOutcome)> answer) override {
    nonces.push_back(command);
    later([this, &to, command, answer = std::move(answer)] {
      NonceOutcome outcome = NonceOutcome::kNew;
      if (!nonce_outcomes.empty()) {
        outcome = nonce_outcomes.front();
        nonce_outcomes.pop_front();
      } else if (!spent_nonces_.emplace(command.member, command.digest).second) {
        outcome = NonceOutcome::kUsed;
      }
      to.post([answer, outcome] { answer(outcome); });
    });
  }
  void put_jobs(std::vector<jobs::Job> rows, MeshNumber, std::vector<std::string> forgotten,
                Mailbox& to, std::function<void(Status)> answer) override {
    later([this, &to, rows = std::move(rows), forgotten = std::move(forgotten),
           answer = std::move(answer)] {
      Status status = Done{};
      if (!job_answers.empty()) {
        status = job_answers.front();
        job_answers.pop_front();
      }
      if (status.ok()) status = put(rows, forgotten);
      to.post([answer, status] { answer(status); });
    });
  }
  void load_jobs(MeshNumber mesh, Mailbox& to,
                 std::function<void(Result<std::vector<jobs::Job>>)> answer) override {
    later([this, mesh, &to, answer = std::move(answer)] {
      Result<std::vector<jobs::Job>> found = Error{ErrorCode::kUnavailable, "scripted"};
      if (failing_loads > 0) {
        --failing_loads;
      } else {
        found = jobs_of(mesh);
      }
      to.post([answer, found] { answer(found); });
    });
  }
  void commit(std::vector<membership::Change> changes, std::string by, Mailbox& to,
              std::function<void(Status)> answer) override {
    words.push_back(std::move(by));
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
  void commit_sealed(CommitSealed command, Mailbox& to,
                     std::function<void(Status)> answer) override {
    words.push_back(command.by);
    later([this, &to, command = std::move(command), answer = std::move(answer)] {
      Status status = Done{};
      if (!commit_answers.empty()) {
        status = commit_answers.front();
        commit_answers.pop_front();
      }
      if (status.ok()) status = put(command);
      to.post([answer, status] { answer(status); });
    });
  }
  void load_sealed(MeshNumber, Mailbox& to,
                   std::function<void(Result<std::vector<SealedRow>>)> answer) override {
    later([this, &to, answer = std::move(answer)] {
      Result<std::vector<SealedRow>> found = Error{ErrorCode::kUnavailable, "scripted"};
      if (failing_loads > 0) {
        --failing_loads;
      } else {
        std::vector<SealedRow> rows;
        for (const auto& [place, row] : sealed_rows) rows.push_back(row);
        found = std::move(rows);
      }
      to.post([answer, found] { answer(found); });
    });
  }
  void read_reports(MeshNumber, std::string name, std::uint64_t after, std::size_t limit,
                    Mailbox& to,
                    std::function<void(Result<std::vector<SealedReport>>)> answer) override {
    later([this, &to, name = std::move(name), after, limit, answer = std::move(answer)] {
      std::vector<SealedReport> found;
      for (const SealedReport& report : reports) {
        const bool wanted = report.name == name && report.number > after;
        if (wanted && found.size() < limit) found.push_back(report);
      }
      to.post([answer, found] { answer(found); });
    });
  }
  void newest_reports(MeshNumber, std::string name, std::size_t limit, Mailbox& to,
                      std::function<void(Result<std::vector<SealedReport>>)> answer) override {
    later([this, &to, name = std::move(name), limit, answer = std::move(answer)] {
      std::vector<SealedReport> found;
      for (const SealedReport& report : reports) {
        if (report.name == name) found.push_back(report);
      }
      if (found.size() > limit) {
        found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
      }
      to.post([answer, found] { answer(found); });
    });
  }
  void append_log(std::vector<audit::Draft> drafts, Mailbox& to,
                  std::function<void(Status)> answer) override {
    later([this, &to, drafts = std::move(drafts), answer = std::move(answer)] {
      Status status = Done{};
      if (!append_answers.empty()) {
        status = append_answers.front();
        append_answers.pop_front();
      }
      if (status.ok()) logged.insert(logged.end(), drafts.begin(), drafts.end());
      to.post([answer, status] { answer(status); });
    });
  }
  void sign_log(Mailbox& to, std::function<void(Result<std::string>)> answer) override {
    later([this, &to, answer = std::move(answer)] {
      to.post([answer, note = checkpoint] { answer(note); });
    });
  }
  void read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                std::function<void(Result<LogPage>)> answer) override {
    later([this, from, limit, &to, answer = std::move(answer)] {
      LogPage page;
      page.entries = logged.size();
      page.first = from ? *from : page.entries - std::min<std::uint64_t>(limit, page.entries);
      for (std::uint64_t n = page.first; n < page.entries && page.lines.size() < limit; ++n) {
        page.lines.push_back(audit::encode({n, WallTime{}, logged[n]}));
      }
      to.post([answer, page] { answer(page); });
    });
  }
  void prove_entry(std::uint64_t, std::uint64_t, Mailbox& to,
                   std::function<void(Result<LogProof>)> answer) override {
    later([this, &to, answer = std::move(answer)] {
      to.post([answer, made = proof] { answer(made); });
    });
  }
  void prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                    std::function<void(Result<LogProof>)> answer) override {
    prove_entry(from, entries, to, std::move(answer));
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

  Status put(const std::vector<jobs::Job>& rows, const std::vector<std::string>& forgotten) {
    std::map<std::string, jobs::Job> after = job_rows;
    for (const jobs::Job& row : rows) {
      const auto before = after.find(row.id);
      const std::uint64_t version = before == after.end() ? 0 : before->second.version;
      if (row.version != version + 1) return Error{ErrorCode::kConflict, "another version"};
      after[row.id] = row;
    }
    for (const std::string& id : forgotten) after.erase(id);
    job_rows = std::move(after);
    return Done{};
  }

  Status put(const CommitSealed& command) {
    auto after = sealed_rows;
    for (const SealedRow& row : command.rows) {
      const std::pair place(row.kind, row.name);
      const auto before = after.find(place);
      const std::uint64_t version = before == after.end() ? 0 : before->second.version;
      if (row.bytes.empty()) {
        after.erase(place);
        continue;
      }
      if (row.version != version + 1) return Error{ErrorCode::kConflict, "another version"};
      after[place] = row;
    }
    sealed_rows = std::move(after);
    for (const ForgetReports& old : command.forget) {
      std::erase_if(reports, [&](const SealedReport& report) {
        return (old.name.empty() || report.name == old.name) && report.at < old.before;
      });
    }
    for (const SealedReport& report : command.reports) {
      reports.push_back(report);
      reports.back().number = ++last_report_;
    }
    committed.insert(committed.end(), command.changes.begin(), command.changes.end());
    logged.insert(logged.end(), command.drafts.begin(), command.drafts.end());
    return Done{};
  }

  std::vector<jobs::Job> jobs_of(MeshNumber mesh) const {
    std::vector<jobs::Job> found;
    for (const auto& [id, job] : job_rows) {
      if (job.mesh == mesh) found.push_back(job);
    }
    std::sort(found.begin(), found.end(),
              [](const jobs::Job& a, const jobs::Job& b) { return a.order < b.order; });
    return found;
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
  std::set<std::pair<MemberNumber, crypto::Digest16>> spent_nonces_;
  std::int64_t last_ = 0;
  std::uint64_t last_report_ = 0;
};

}  // namespace signet::store
