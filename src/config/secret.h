// Secret is a text that no core dump holds, that is wiped when it is gone and that nothing prints:
// no operator<<, no conversion. Whoever needs it says reveal().
#pragma once

#include <string>
#include <string_view>

#include "base/secret_memory.h"
#include "signet/result.h"

namespace signet::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  bool empty() const { return text_.empty(); }
  std::string_view reveal() const { return text_.text(); }  // lives as long as the secret

 private:
  SecretBytes text_;
};

// Reads the secret in `path` into `out`: the first line, without the newline; wiping that is the
// caller's part. Fails as read_private_file does (base/private_file.h): kNotFound, or kForbidden
// for a file that is not its owner's alone; kMalformed for one that is longer than 4 KiB or has
// more than one line.
Status read_secret(const std::string& path, std::string& out);

}  // namespace signet::config
