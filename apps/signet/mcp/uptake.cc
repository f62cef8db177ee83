#include "signet/mcp/uptake.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>

namespace signet::mcp {

Uptake::Uptake(int out) : out_(out), kind_(kind_of(out)) {}

Uptake::Kind Uptake::kind_of(int descriptor) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return Kind::kOther;
  if (S_ISFIFO(about.st_mode)) return Kind::kPipe;
  return S_ISSOCK(about.st_mode) ? Kind::kSocket : Kind::kOther;
}

std::uint64_t Uptake::taken_of(std::uint64_t written) {
  int left = 0;
  const auto ask = kind_ == Kind::kPipe ? FIONREAD : SIOCOUTQ;
  if (kind_ == Kind::kOther || ::ioctl(out_, ask, &left) != 0 || left == 0) {
    taken_ = written;
  } else if (kind_ == Kind::kPipe) {  // a socket counts the kernel's own bytes, too
    // Others who share the pipe may have written some of what is left.
    taken_ = std::max(taken_, written - std::min(written, static_cast<std::uint64_t>(left)));
  }
  return taken_;
}

bool has_unread(int in) {
  int left = 0;
  return ::ioctl(in, FIONREAD, &left) == 0 && left > 0;
}

}  // namespace signet::mcp
