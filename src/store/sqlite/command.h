// The commands of the writer: what is asked, of whom, and what came of it.
#pragma once

#include <functional>
#include <variant>
#include <vector>

#include "store/store.h"

namespace signet::store::sqlite {

// What a failed transaction means for the commands that were in it.
enum class Refusal : std::uint8_t { kDiskFull, kUnavailable };

struct PublishCommand {
  Publish publish;
  Mailbox* to;
  std::function<void(PublishAnswer)> answer;
  PublishAnswer result{PublishOutcome::kUnavailable};
};
struct ConfirmCommand {
  MemberNumber member;
  std::vector<MessageNumber> numbers;
  Mailbox* to;
  std::function<void(std::vector<MessageNumber>)> answer;  // may be empty
  std::vector<MessageNumber> result;
};
struct HelloCommand {
  AdmitHello hello;
  Mailbox* to;
  std::function<void(HelloOutcome)> answer;
  HelloOutcome result = HelloOutcome::kUnavailable;
};
struct NonceCommand {
  SpendNonce nonce;
  Mailbox* to;
  std::function<void(NonceOutcome)> answer;
  NonceOutcome result = NonceOutcome::kUnavailable;
};
struct JobsCommand {
  std::vector<jobs::Job> rows;
  MeshNumber mesh;
  std::vector<std::string> forgotten;
  Mailbox* to;
  std::function<void(Status)> answer;
  Status result = Done{};
};
struct CommitCommand {
  CommitSealed what;  // of changes of membership alone: nothing sealed
  Mailbox* to;
  std::function<void(Status)> answer;
  Status result = Done{};
};
struct AppendCommand {
  std::vector<audit::Draft> drafts;
  Mailbox* to;
  std::function<void(Status)> answer;
  Status result = Done{};
};
struct SignCommand {
  Mailbox* to;
  std::function<void(Result<std::string>)> answer;
  Result<std::string> result = std::string();
};
struct RequeueCommand {
  RequeueDead requeue;
  Mailbox* to;
  std::function<void(Result<Requeued>)> answer;
  Result<Requeued> result = Requeued{};
};
struct ProbeCommand {
  Mailbox* to;
  std::function<void(Status)> answer;
  Status result = Done{};
};
struct SweepCommand {
  WallTime now;
  Mailbox* to;
  std::function<void()> answer;
};

using Command = std::variant<PublishCommand, ConfirmCommand, HelloCommand, NonceCommand,
                             JobsCommand, CommitCommand, AppendCommand, SignCommand, RequeueCommand,
                             ProbeCommand, SweepCommand>;

// Rows that the command is likely to touch.
std::size_t weight_of(const Command& command);

// Gives the command the outcome of a transaction that was rolled back. A sweep has none, and a
// confirmation is tried again instead.
void refuse(Command& command, Refusal why);

// Groups the answers of one commit by mailbox, so that each thread is woken once.
class Answers {
 public:
  void add(Command& command);  // takes the answer out of it
  void post();

 private:
  void add(Mailbox* to, Mailbox::Task task);

  struct Group {
    Mailbox* to;
    std::vector<Mailbox::Task> tasks;
  };
  std::vector<Group> groups_;  // few: one a shard
};

}  // namespace signet::store::sqlite
