// StatusFile keeps a small file beside what runs: the newest text that it was shown, whole, for
// people and scripts (overlay.status_file). A thread of its own writes, so that a slow disk holds
// up no decision; of several texts that wait, the newest alone is written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/mailbox.h"
#include "base/metrics.h"
#include "controller/control_thread.h"
#include "signet/result.h"

namespace signet {

// Replaces the file at once (mode 0600): who reads finds the text before or this one, never half of
// it. Not synced: after a loss of power the next decision writes it again. Fails kUnavailable with
// the reason of the system.
Status write_status_file(const std::string& path, std::string_view text);

// Belongs to the thread of `home`, and is destroyed when that ended.
class StatusFile {
 public:
  // `home` and `metrics` must outlive it.
  StatusFile(std::string path, Mailbox& home, const Clock& clock, MetricRegistry& metrics);
  // Writes what waits.
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  // Home thread. A fault is counted and logged, once for each spell of them.
  void show(std::string text);

 private:
  void write(std::string text);
  void on_written(const Status& status);

  const std::string path_;
  Mailbox& home_;
  Counter& failed_;
  bool writing_ = false;
  bool is_failing_ = false;
  std::optional<std::string> waiting_;
  controller::ControlThread writer_;  // last: its tasks use the others
};

}  // namespace signet
