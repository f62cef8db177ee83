#include "signet/bench/live_line.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::chrono::milliseconds kStep{250};
constexpr const char* kEraseLine = "\r\033[K";

}  // namespace

LiveLine::LiveLine() : is_terminal_(isatty(STDERR_FILENO) != 0) {}
LiveLine::~LiveLine() { erase(); }

bool LiveLine::is_due(Elapsed now) const { return is_terminal_ && now >= next_; }

void LiveLine::show(std::string_view text, Elapsed now) {
  if (!is_due(now)) return;
  next_ = now + kStep;
  is_shown_ = true;
  std::fputs((kEraseLine + printable_line(text)).c_str(), stderr);
}

void LiveLine::erase() {
  if (is_shown_) std::fputs(kEraseLine, stderr);
  is_shown_ = false;
}

}  // namespace signet::cli
