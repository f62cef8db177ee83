#include "signetd/status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace signet {
namespace {

constexpr mode_t kOwnersAlone = 0600;

Error status_fault(const std::string& path) {
  return {ErrorCode::kUnavailable, path + ": " + std::strerror(errno)};
}

// False with errno where the disk does not take all of it.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

// Under another name first, which is ours alone: what somebody laid there, a link say, is removed
// and never written through.
Status write_status_file(const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".new";
  (void)::unlink(unfinished.c_str());
  const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          kOwnersAlone);
  if (file < 0) return status_fault(unfinished);
  const bool whole = write_all(file, text);
  const int why = errno;
  const bool closed = ::close(file) == 0;
  if (whole && closed && std::rename(unfinished.c_str(), path.c_str()) == 0) return Done{};
  if (!whole) errno = why;
  const Error fault = status_fault(path);
  (void)::unlink(unfinished.c_str());
  return fault;
}

StatusFile::StatusFile(std::string path, Mailbox& home, const Clock& clock, MetricRegistry& metrics)
    : path_(std::move(path)),
      home_(home),
      failed_(metrics.counter("signet_overlay_status_file_failed_total",
                              "Times that status.json could not be written.")),
      writer_(clock) {
  writer_.start();
}

StatusFile::~StatusFile() {
  if (waiting_) write(*std::move(waiting_));
  writer_.stop();
}

void StatusFile::show(std::string text) {
  if (writing_) {
    waiting_ = std::move(text);
    return;
  }
  write(std::move(text));
}

void StatusFile::write(std::string text) {
  writing_ = true;
  writer_.mailbox().post([this, text = std::move(text)] {
    const Status written = write_status_file(path_, text);
    home_.post([this, written] { on_written(written); });
  });
}

void StatusFile::on_written(const Status& status) {
  writing_ = false;
  if (!status.ok()) {
    failed_.add();
    if (!is_failing_) {
      log(LogLevel::kWarn, "overlay.status_file_failed", {{"detail", status.error().detail}});
    }
  }
  is_failing_ = !status.ok();
  if (auto text = std::exchange(waiting_, std::nullopt)) write(*std::move(text));
}

}  // namespace signet
