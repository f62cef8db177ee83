// Secret is a text that is wiped when it is gone and that nothing prints: no operator<<, no
// conversion. Whoever needs it says reveal().
#pragma once

#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  bool empty() const { return text_.empty(); }
  std::string_view reveal() const { return text_; }  // lives as long as the secret

 private:
  std::string text_;
};

// Reads the secret in `path` into `out`: the first line, without the newline. Fails kNotFound where
// there is no such file, kForbidden for a symbolic link, something that is no regular file, or a
// file on which others than its owner have rights; kMalformed for one that is longer than 4 KiB or
// has more than one line.
Status read_secret(const std::string& path, std::string& out);

}  // namespace signet::config
