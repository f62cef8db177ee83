// ControllerStory is a controller on its real thread, with a fake store and a clock that stands
// still: mesh "mesh-team" of ann (1), bob (2) and eve (3, revoked), and mesh "mesh-other". Nothing
// is committed before settle().
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "base/log.h"
#include "controller/controller.h"
#include "membership/fixture_for_test.h"
#include "store/fake_store.h"

namespace signet::controller {

class ControllerStory : public testing::Test {
 protected:
  struct Shown {
    std::shared_ptr<const membership::MembershipSnapshot> snapshot;
    std::vector<MemberNumber> narrowed;
  };

  ControllerStory() {
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
    auto eve = membership::member_named(3, 1, "eve");
    eve.standing = membership::Standing::kRevoked;
    store_.at_start = {membership::MeshAdded{membership::mesh_named(1, "team")},
                       membership::MemberAdded{membership::member_named(1, 1, "ann"), {}},
                       membership::MemberAdded{membership::member_named(2, 1, "bob"), {}},
                       membership::MemberAdded{eve, {}},
                       membership::MeshAdded{membership::mesh_named(2, "other")}};
  }
  ~ControllerStory() override {
    control_.stop();
    set_log_level(LogLevel::kInfo);
  }

  // Options and what the store holds are set before.
  void start() {
    store_.start({});
    controller_.emplace(options_, control_, store_, clock_, [this](auto snapshot, auto narrowed) {
      events_.emplace_back("shown");
      shown_.push_back({std::move(snapshot), std::move(narrowed)});
    });
    control_.start();
    settle();
    events_.clear();
    shown_.clear();
  }

  // Runs `task` on the control thread and lets that turn end; the store does nothing yet.
  void on_control(const std::function<void()>& task) {
    control_.run_and_wait(task);
    control_.run_and_wait([] {});
  }
  // All that the store was asked so far is answered within one turn.
  bool work() {
    bool any = false;
    control_.run_and_wait([&] { any = store_.work(); });
    control_.run_and_wait([] {});
    control_.run_and_wait([] {});
    return any;
  }
  void settle() {
    while (work()) {
    }
  }

  // Gives a command, waits for all that follows, and answers what it was answered. A command that
  // answers never, or twice, fails the test.
  template <class Answer, class Command>
  Answer ask(const Command& command) {
    std::vector<Answer> answers;
    on_control([&] {
      command([&](Answer answer) {
        events_.emplace_back("answered");
        answers.push_back(std::move(answer));
      });
    });
    settle();
    EXPECT_EQ(answers.size(), 1U);
    return answers.empty() ? Answer(Error{ErrorCode::kBug, "no answer"}) : answers.front();
  }
  template <class Command>
  Status status_of(const Command& command) {
    return ask<Status>(command);
  }

  // "ok", or the code of the error as a word.
  static std::string word(const Status& status) {
    if (status.ok()) return "ok";
    switch (status.error().code) {
      case ErrorCode::kNotFound:
        return "not found";
      case ErrorCode::kForbidden:
        return "forbidden";
      case ErrorCode::kConflict:
        return "conflict";
      case ErrorCode::kOverloaded:
        return "overloaded";
      case ErrorCode::kUnavailable:
        return "unavailable";
      case ErrorCode::kMalformed:
      case ErrorCode::kUnauthorized:
      case ErrorCode::kBug:
        break;
    }
    return "another error";
  }

  const membership::MeshSnapshot& mesh() { return *controller_->table().mesh("mesh-team"); }
  const membership::Member* member(const std::string& name) {
    return mesh().member(membership::key_of(name).public_key());
  }
  std::size_t members() {
    std::size_t count = 0;
    mesh().each_member([&](const membership::Member&) { ++count; });
    return count;
  }

  FakeClock clock_;
  ControllerOptions options_;
  store::FakeStore store_;
  ControlThread control_{clock_};
  std::optional<Controller> controller_;
  std::vector<Shown> shown_;         // since start()
  std::vector<std::string> events_;  // "shown" and "answered", in order
};

}  // namespace signet::controller
