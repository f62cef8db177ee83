#include "store/sqlite/command.h"

#include <type_traits>
#include <utility>

namespace signet::store::sqlite {
namespace {

Error error_of(Refusal why) {
  if (why == Refusal::kDiskFull) return {ErrorCode::kOverloaded, "the disk is full"};
  return {ErrorCode::kUnavailable, "the database failed"};
}

}  // namespace

std::size_t weight_of(const Command& command) {
  if (const auto* publish = std::get_if<PublishCommand>(&command)) {
    return 2 + publish->publish.recipients.size();
  }
  if (const auto* confirm = std::get_if<ConfirmCommand>(&command)) {
    return 1 + confirm->numbers.size();
  }
  if (const auto* append = std::get_if<AppendCommand>(&command)) {
    constexpr std::size_t kRowsAnEntry = 3;  // its line, its leaf, a node
    return kRowsAnEntry * append->drafts.size();
  }
  if (const auto* requeue = std::get_if<RequeueCommand>(&command)) {
    return 1 + (requeue->requeue.only ? 1 : requeue->requeue.max_letters);
  }
  if (const auto* jobs = std::get_if<JobsCommand>(&command)) {
    return 1 + jobs->rows.size() + jobs->forgotten.size();
  }
  if (const auto* commit = std::get_if<CommitCommand>(&command)) {
    const CommitSealed& what = commit->what;
    return 2 + what.rows.size() + what.reports.size() + what.drafts.size();
  }
  return 2;
}

void refuse(Command& command, Refusal why) {
  if (auto* publish = std::get_if<PublishCommand>(&command)) {
    publish->result = {why == Refusal::kDiskFull ? PublishOutcome::kStoreFull
                                                 : PublishOutcome::kUnavailable};
  } else if (auto* hello = std::get_if<HelloCommand>(&command)) {
    hello->result = HelloOutcome::kUnavailable;
  } else if (auto* nonce = std::get_if<NonceCommand>(&command)) {
    nonce->result = NonceOutcome::kUnavailable;
  } else if (auto* jobs = std::get_if<JobsCommand>(&command)) {
    jobs->result = error_of(why);
  } else if (auto* commit = std::get_if<CommitCommand>(&command)) {
    commit->result = error_of(why);
  } else if (auto* append = std::get_if<AppendCommand>(&command)) {
    append->result = error_of(why);
  } else if (auto* sign = std::get_if<SignCommand>(&command)) {
    sign->result = error_of(why);
  } else if (auto* requeue = std::get_if<RequeueCommand>(&command)) {
    requeue->result = error_of(why);
  } else if (auto* probe = std::get_if<ProbeCommand>(&command)) {
    probe->result = error_of(why);
  }
}

void Answers::add(Command& command) {
  std::visit(
      [this](auto& c) {
        using Kind = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<Kind, SweepCommand>) {
          add(c.to, std::move(c.answer));
        } else if (c.answer) {  // only a confirmation may have none
          add(c.to,
              [answer = std::move(c.answer), result = std::move(c.result)] { answer(result); });
        }
      },
      command);
}

void Answers::add(Mailbox* to, Mailbox::Task task) {
  for (Group& group : groups_) {
    if (group.to == to) {
      group.tasks.push_back(std::move(task));
      return;
    }
  }
  groups_.push_back({to, {}});
  groups_.back().tasks.push_back(std::move(task));
}

void Answers::post() {
  for (Group& group : groups_) group.to->post_all(std::exchange(group.tasks, {}));
  groups_.clear();
}

}  // namespace signet::store::sqlite
