#include "net/held_request.h"

#include <string.h>

#include <utility>

namespace signet::net {

HeldRequest::~HeldRequest() {
  uncount();
  bytes.resize(bytes.capacity());
  explicit_bzero(bytes.data(), bytes.size());
}

bool HeldRequest::count(std::size_t& all, std::size_t most) {
  uncount();
  all_ = &all;
  counted_ = bytes.capacity();
  all += counted_;
  return all <= most;
}

void HeldRequest::uncount() {
  if (all_ == nullptr) return;
  *std::exchange(all_, nullptr) -= counted_;
}

}  // namespace signet::net
