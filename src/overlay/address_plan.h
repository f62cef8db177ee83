// Which addresses of a subnet are whose: one /32 a node, disjoint and for good.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::overlay {

// An IPv4 network such as 10.10.0.0/24. Its first address and its last are nobody's, .1 is kept for
// the mesh's gateway: nodes have .2 and on. A place is the number of an address in its subnet.
struct Subnet {
  std::uint32_t network = 0x0a0a0000;
  int bits = 24;

  // Fails kMalformed, with a sentence, for what is none, for host bits that are set and for fewer
  // than two places: 8 to 29 bits, of a private range (RFC 1918, RFC 6598).
  static Result<Subnet> of(std::string_view text);
  std::string text() const;
  std::uint32_t places() const;                    // nodes that fit
  std::string address(std::uint32_t place) const;  // "10.10.0.2" of 2. REQUIRES: holds(place)
  bool holds(std::uint32_t place) const;
  bool operator==(const Subnet&) const = default;
};

// Places by name. A name keeps its place as long as it is known; the place of one that was
// forgotten goes to somebody else only when no fresh one is left, the longest free first: who holds
// an old configuration meets nobody new for as long as can be. Owner: one thread.
class AddressPlan {
 public:
  explicit AddressPlan(Subnet subnet) : subnet_(subnet) {}

  // At start: what is on disk, in any order. False, and nothing changed, when the place is
  // another's or none of the subnet, or the name has another one. The places below one that is
  // restored count as given before, and free the longest.
  bool restore(const std::string& name, std::uint32_t place);
  // The name's place, a fresh one for a new name; nullopt when the subnet is full.
  std::optional<std::uint32_t> place_for(const std::string& name);
  void forget(const std::string& name);

  const Subnet& subnet() const { return subnet_; }
  std::size_t taken() const { return by_name_.size(); }

 private:
  using When = std::uint64_t;
  std::optional<std::uint32_t> free_place();  // which is then none any more
  bool take_free(std::uint32_t place);        // false: it is somebody's
  bool take_from_gap(std::uint32_t place);

  Subnet subnet_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
  std::uint32_t next_ = 2;                       // lowest that was never given
  std::map<std::uint32_t, std::uint32_t> gaps_;  // given before the start: from, and to behind it
  std::map<When, std::uint32_t> freed_;          // since then, by when: rising
  When frees_ = 0;
};

}  // namespace signet::overlay
