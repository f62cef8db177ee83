// Strong ids: numbers that name one kind of thing each and never mix. They are given out by the
// store, never chosen by a peer, so they are safe keys for an ordinary hash map.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace signet {

// Number<Tag> is an integer that names one kind of thing. Zero is never given out.
template <class Tag>
struct Number {
  std::int64_t value = 0;
  auto operator<=>(const Number&) const = default;
};

// MeshNumber and MemberNumber name rows of the store; the ids that peers see (`meshId`,
// `memberId`) are text and live in the membership tables only.
using MeshNumber = Number<struct MeshTag>;
using MemberNumber = Number<struct MemberTag>;

// MessageNumber is the server order of stored messages: strictly rising, so it is also the
// position of a message in every mailbox that holds it.
using MessageNumber = Number<struct MessageTag>;

}  // namespace signet

template <class Tag>
struct std::hash<signet::Number<Tag>> {
  std::size_t operator()(signet::Number<Tag> number) const noexcept {
    return std::hash<std::int64_t>{}(number.value);
  }
};
