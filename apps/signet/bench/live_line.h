// LiveLine is one line on standard error that is written over and over while something runs, on a
// terminal only. It is gone when the object is.
#pragma once

#include <string_view>

#include "base/time.h"

namespace signet::cli {

class LiveLine {
 public:
  LiveLine();
  ~LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  // Whether anybody would see a change now: at most a few times a second.
  bool is_due(Elapsed now) const;
  void show(std::string_view text, Elapsed now);
  void erase();

 private:
  const bool is_terminal_;
  bool is_shown_ = false;
  Elapsed next_{};
};

}  // namespace signet::cli
