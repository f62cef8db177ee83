#include "client/state_file.h"

#include <sys/stat.h>
#include <time.h>

#include <array>
#include <cstdio>

#include "base/time.h"
#include "client/private_file.h"

namespace signet::client {
namespace {

// What SQLite keeps beside a database; the empty one is the database.
constexpr std::array<const char*, 4> kParts = {"", "-wal", "-shm", "-journal"};

// `20260105T123450Z`, for file names.
std::string compact_time(WallTime now) {
  const time_t second = now.ms / 1'000;
  tm utc{};
  gmtime_r(&second, &utc);
  std::array<char, 32> text{};
  static_cast<void>(strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc));
  return text.data();
}

bool exists(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0;
}

std::string free_name(const std::string& path) {
  const std::string first = path + ".damaged-" + compact_time(system_clock().wall());
  std::string name = first;
  for (int again = 2; exists(name) || exists(name + "-wal"); ++again) {
    name = first + "." + std::to_string(again);
  }
  return name;
}

// Opens one file; the steps of open_state_file, under the folder's lock.
class Opening {
 public:
  Opening(std::string path, const StateOptions& options, const StateOwner& owner,
          HolderFolder holders)
      : path_(std::move(path)), options_(options), owner_(owner), holders_(std::move(holders)) {}

  Result<StateFile> open() {
    is_alone_ = !holders_.is_anyone_alive();
    holders_.sweep();
    SIGNET_TRY(const bool is_lost, look());
    if (is_lost) return damaged("(it is empty, and it was not)");
    SIGNET_TRY([[maybe_unused]] const Done made, make_private_file(path_));
    Status ready = prepare();
    if (ready.ok()) return enter();
    if (ready.error().code != ErrorCode::kMalformed) return ready.error();
    return damaged(ready.error().detail);
  }

 private:
  // Checks whose the files are; whether a state was here and its database is gone or cut to
  // nothing. SQLite would take that for a new one and drop the log, with what is in it.
  Result<bool> look() {
    std::array<FileFacts, kParts.size()> facts;
    for (std::size_t i = 0; i < kParts.size(); ++i) {
      SIGNET_TRY(facts[i], check_private(path_ + kParts[i], FileKind::kFile));
    }
    const bool has_log = facts[1].bytes > 0;
    return facts[0].bytes == 0 && (has_log || (facts[0].exists && holders_.was_made()));
  }

  Status prepare() {
    SIGNET_TRY([[maybe_unused]] const Done opened, database_->open(path_, options_.busy_timeout));
    SIGNET_TRY([[maybe_unused]] const Done owned, check_owner(*database_, owner_));
    // Whoever has it open has checked it. After a process was killed nobody has.
    if (is_alone_) {
      SIGNET_TRY([[maybe_unused]] const Done whole, check_pages(*database_));
    }
    SIGNET_TRY([[maybe_unused]] const Done durable, make_durable(*database_));
    return make_tables(*database_, owner_);
  }

  Result<StateFile> enter() {
    database_->trust();
    holders_.mark_made();
    SIGNET_TRY(Holder holder, holders_.enter());
    return StateFile{std::move(holder), std::move(holders_), std::move(database_)};
  }

  // `why` ends with a reason in parentheses.
  Error damaged(const std::string& why) {
    database_->close();
    const std::string begin =
        "state_corrupt: " + path_ + " is damaged " + why.substr(why.find('(')) + ". ";
    if (!is_alone_) {
      return {ErrorCode::kMalformed,
              begin +
                  "It stays there while another process has it open: end that, then open it "
                  "again"};
    }
    const std::string aside = free_name(path_);
    for (const char* part : kParts) {
      const std::string from = path_ + part;
      if (exists(from) && rename(from.c_str(), (aside + part).c_str()) != 0) {
        return {ErrorCode::kMalformed, begin + file_error("cannot put aside", from).detail};
      }
    }
    holders_.unmark_made();
    return {ErrorCode::kMalformed,
            begin + "It was put aside as " + aside +
                ", with the messages that waited in it, the channel keys and the pinned keys; "
                "what was not confirmed the broker still has. Opening it again begins anew"};
  }

  const std::string path_;
  const StateOptions& options_;
  const StateOwner& owner_;
  HolderFolder holders_;
  bool is_alone_ = false;
  std::unique_ptr<Database> database_ = std::make_unique<Database>();
};

Result<StateFile> open_in_memory(const StateOptions& options, const StateOwner& owner) {
  auto database = std::make_unique<Database>();
  SIGNET_TRY([[maybe_unused]] const Done opened, database->open({}, options.busy_timeout));
  // Many of them may be in one process: a table that is nearly empty costs 1 KiB, not 4.
  database->run("PRAGMA page_size = 1024");
  SIGNET_TRY([[maybe_unused]] const Done made, make_tables(*database, owner));
  return StateFile{Holder::alone(), std::nullopt, std::move(database)};
}

}  // namespace

Result<StateFile> open_state_file(const StateOptions& options, const StateOwner& owner) {
  if (options.file.empty()) return open_in_memory(options, owner);
  SIGNET_TRY(std::string path, private_path(options.file));
  SIGNET_TRY(HolderFolder holders, HolderFolder::open(path + ".holders"));
  SIGNET_TRY(const Descriptor lock, holders.lock(options.busy_timeout));
  return Opening(std::move(path), options, owner, std::move(holders)).open();
}

}  // namespace signet::client
