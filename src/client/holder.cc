#include "client/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "base/time.h"
#include "client/private_file.h"
#include "crypto/random.h"

namespace signet::client {
namespace {

constexpr std::size_t kIdBytes = 16;
// A file has this before its name until it is locked, so that nobody takes it for a dead one.
constexpr std::string_view kNew = "new-";
constexpr std::string_view kMade = "/made";

// Another process opens the file: that takes milliseconds.
constexpr std::chrono::milliseconds kLockPause{5};

bool is_id(std::string_view name) {
  return name.size() == 2 * kIdBytes &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> names_in(const std::string& folder) {
  struct Close {
    void operator()(DIR* open) const { closedir(open); }
  };
  std::vector<std::string> names;
  const std::unique_ptr<DIR, Close> open(opendir(folder.c_str()));
  if (open == nullptr) return names;
  while (const dirent* entry = readdir(open.get())) names.emplace_back(entry->d_name);
  return names;
}

enum class Life : std::uint8_t { kAlive, kDead, kGone };

Life life_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return errno == ENOENT ? Life::kGone : Life::kAlive;
  return flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? Life::kDead : Life::kAlive;
}

}  // namespace

Descriptor::~Descriptor() {
  if (value_ >= 0) close(value_);
}

Holder Holder::alone() { return {crypto::random_hex(kIdBytes), {}, Descriptor()}; }

Holder::~Holder() {
  if (lock_.is_open()) static_cast<void>(unlink(path_.c_str()));
}

Result<HolderFolder> HolderFolder::open(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return file_error("cannot make", path);
  SIGNET_TRY([[maybe_unused]] const FileFacts facts, check_private(path, FileKind::kFolder));
  return HolderFolder(path);
}

Result<Descriptor> HolderFolder::lock(std::chrono::milliseconds timeout) const {
  Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder.is_open()) return file_error("cannot open", path_);
  const Elapsed give_up = system_clock().elapsed() + timeout;
  while (flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return file_error("cannot lock", path_);
    if (system_clock().elapsed() >= give_up) {
      return Error{ErrorCode::kUnavailable, "state_busy: another process is opening the state"};
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return folder;
}

Result<Holder> HolderFolder::enter() const {
  const std::string id = crypto::random_hex(kIdBytes);
  const std::string path = path_ + "/" + id;
  const std::string fresh = path_ + "/" + std::string(kNew) + id;
  Descriptor lock(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) return file_error("cannot make", fresh);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    const Error error = file_error("cannot lock", fresh);
    static_cast<void>(unlink(fresh.c_str()));
    return error;
  }
  return Holder(id, path, std::move(lock));
}

bool HolderFolder::is_alive(std::string_view id) const {
  // What is no id can't be a path either.
  return is_id(id) && life_of(path_ + "/" + std::string(id)) == Life::kAlive;
}

bool HolderFolder::is_anyone_alive() const {
  const auto names = names_in(path_);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return is_alive(name); });
}

void HolderFolder::forget(std::string_view id) const {
  if (is_id(id)) static_cast<void>(unlink((path_ + "/" + std::string(id)).c_str()));
}

void HolderFolder::sweep() const {
  for (const std::string& name : names_in(path_)) {
    const bool is_left = is_id(name) ? !is_alive(name) : name.starts_with(kNew);
    if (is_left) static_cast<void>(unlink((path_ + "/" + name).c_str()));
  }
}

bool HolderFolder::was_made() const {
  struct stat found {};
  return lstat((path_ + std::string(kMade)).c_str(), &found) == 0;
}
void HolderFolder::mark_made() const {
  static_cast<void>(make_private_file(path_ + std::string(kMade)));
}
void HolderFolder::unmark_made() const {
  static_cast<void>(unlink((path_ + std::string(kMade)).c_str()));
}

}  // namespace signet::client
