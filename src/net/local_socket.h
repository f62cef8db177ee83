// LocalSocket is a Unix socket that listens, and the file it is reached by. Who connects to it is
// known from the kernel, never from what he says.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "signet/result.h"

namespace signet::net {

class LocalSocket {
 public:
  // Listens at `path`, mode 0600 from its first moment. A file that is there already is removed
  // only if it is a socket on which nobody answers. Fails kMalformed for a path that no socket can
  // have, kConflict when something is in the way, kUnavailable when the system refuses.
  static Result<LocalSocket> open(const std::string& path);

  LocalSocket(LocalSocket&& other) noexcept;
  LocalSocket& operator=(LocalSocket&&) = delete;
  ~LocalSocket();  // removes the file, unless another has taken its place, and closes

  int descriptor() const { return descriptor_; }

 private:
  LocalSocket(int descriptor, std::string path);
  Status claim();

  int descriptor_;
  std::string path_;
  dev_t device_ = 0;  // of the file that was made
  ino_t node_ = 0;    // 0: none
};

// The user whose process is at the other end of a connected Unix socket; nullopt for any other
// socket.
std::optional<uid_t> user_of_peer(int descriptor);

// May a process of `user` administer this one? Its own user may, and root, who could anyway.
bool may_administer(uid_t user);

}  // namespace signet::net
