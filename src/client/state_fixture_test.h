// What the tests of the state share: a folder that goes away, two identities, and pushes by number.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/state.h"
#include "crypto/random.h"

namespace signet::client {

class StateFolder {
 public:
  StateFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "signet_state_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~StateFolder() { std::filesystem::remove_all(path_); }
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string hex_of(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0 && number > 0; number /= 16) {
    text[i] = "0123456789abcdef"[number % 16];
  }
  return text;
}
inline std::string id_of(std::uint64_t number) { return hex_of(number, 32); }
inline std::string key_of(std::uint64_t number) { return hex_of(number, 64); }

// Each has a body of its own, which begins as a sealed one.
inline StoredPush push_of(std::uint64_t number) {
  return {id_of(number),
          key_of(7),
          "#room",
          Priority::kNext,
          "2026-01-05T12:34:50.123Z",
          "nonce " + std::to_string(number),
          "U0dDMXh4 body " + std::to_string(number)};
}
inline std::vector<std::string> ids_of(const std::vector<StoredPush>& pushes) {
  std::vector<std::string> ids;
  for (const StoredPush& push : pushes) ids.push_back(push.message_id);
  return ids;
}
inline std::vector<std::string> ids(std::initializer_list<std::uint64_t> numbers) {
  std::vector<std::string> texts;
  for (const std::uint64_t number : numbers) texts.push_back(id_of(number));
  return texts;
}
inline OutboxEntry entry_of(const std::string& text) {
  OutboxEntry entry;
  entry.to = "#room";
  entry.text = text;
  return entry;
}
inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands before the sentence of an error.
inline std::string code_in(const Error& error) {
  return error.detail.substr(0, error.detail.find(':'));
}

// Runs `story` in another process; it ends by its return value or is killed by kill().
class Child {
 public:
  explicit Child(const std::function<int()>& story) : pid_(fork()) {
    if (pid_ == 0) _exit(story());
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = -1;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_;
};

// A pipe between a test and its child.
class Pipe {
 public:
  Pipe() { static_cast<void>(!pipe(ends_)); }
  ~Pipe() {
    close(ends_[0]);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  template <class T>
  bool put(const T& value) const {
    return ::write(ends_[1], &value, sizeof value) == sizeof value;
  }
  template <class T>
  bool get(T& value) const {
    return ::read(ends_[0], &value, sizeof value) == sizeof value;
  }
  void close_writer() {
    if (ends_[1] >= 0) close(std::exchange(ends_[1], -1));
  }

 private:
  int ends_[2] = {-1, -1};
};

class StateTest : public testing::Test {
 protected:
  StateTest() { options_.file = folder_.path() + "/ada.db"; }

  std::unique_ptr<State> open() {
    auto opened = State::open(options_, identity_);
    EXPECT_TRUE(opened.ok()) << opened.error().detail;
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  // The error of an open that must fail.
  Error refusal() {
    auto opened = State::open(options_, identity_);
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Error{ErrorCode::kBug, ""} : opened.error();
  }
  void reopen() {
    state_.reset();
    state_ = open();
  }

  std::string enqueue(const std::string& text) {
    auto ticket = state_->enqueue(entry_of(text));
    EXPECT_TRUE(ticket.ok()) << ticket.error().detail;
    return ticket.ok() ? *ticket : "";
  }
  std::vector<std::string> claimed(State& state) {
    auto entries = state.claim_outbox();
    EXPECT_TRUE(entries.ok()) << entries.error().detail;
    std::vector<std::string> texts;
    if (entries.ok()) {
      for (const OutboxEntry& entry : *entries) texts.push_back(entry.text);
    }
    return texts;
  }
  SendReport report(const std::string& ticket) {
    auto found = state_->report(ticket);
    EXPECT_TRUE(found.ok()) << found.error().detail;
    return found.ok() ? *found : SendReport{};
  }
  Taken take(State& state, const StoredPush& push) {
    auto taken = state.take_in({push});
    EXPECT_TRUE(taken.ok()) << taken.error().detail;
    return taken.ok() ? taken->at(0) : Taken::kFull;
  }
  std::vector<std::string> leased(State& state, std::size_t most = 1'000) {
    auto pushes = state.lease(most);
    EXPECT_TRUE(pushes.ok()) << pushes.error().detail;
    return pushes.ok() ? ids_of(*pushes) : std::vector<std::string>{};
  }
  std::vector<std::string> confirmed(State& state, const std::vector<std::string>& which) {
    auto done = state.confirm(which);
    EXPECT_TRUE(done.ok()) << done.error().detail;
    return done.ok() ? *done : std::vector<std::string>{};
  }
  // Names in the folder that begin so.
  std::vector<std::string> files(const std::string& begin) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      if (name.starts_with(begin)) names.push_back(name);
    }
    return names;
  }

  StateFolder folder_;
  StateOptions options_;
  crypto::SecretKey identity_ = crypto::SecretKey::generate();
  std::unique_ptr<State> state_;
};

}  // namespace signet::client
