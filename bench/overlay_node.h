// OverlayNode is a node of the overlay as the load generator plays it: it registers, signs what it
// submits, and reads its configuration. Normative text: protocol/overlay.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/http.h"
#include "crypto/fresh_box.h"
#include "crypto/sign.h"
#include "overlay/node.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::bench {

// One thread. Movable, not copyable.
class OverlayNode {
 public:
  // Of a member, whose key is the node's and names it.
  explicit OverlayNode(Membership member);

  const std::string& name() const { return name_; }
  const Membership& member() const { return member_; }
  const overlay::WireGuardKey& wireguard() const { return wireguard_.public_key(); }

  // The bodies of POST /v1/nodes/NAME and /v1/benchmarks/NAME; each submission has the next
  // sequence and the same fresh key.
  std::string registration(WallTime now) const;
  std::string submission(WallTime now);

  // The Authorization of GET `target`; no two have one time.
  std::string authorization(std::string_view target, WallTime now);
  // WireGuard keys of the peers that an answer to it names; none for a node that is not allowed.
  // Fails kMalformed for what no broker answers, and where a box does not open.
  Result<std::vector<overlay::WireGuardKey>> peers_in(std::string_view config) const;

 private:
  std::string name_;
  Membership member_;
  crypto::FreshKeyPair wireguard_;
  crypto::FreshKeyPair fresh_;
  std::uint64_t sequence_ = 0;
  WallTime asked_;
};

// One request to HOST:PORT on a connection of its own. `authorization` may be empty.
Result<client::HttpAnswer> ask(const std::string& at, std::string_view method,
                               const std::string& path, std::string_view body,
                               std::string_view authorization = {});

// The same, where anything but 200 is a failure, which then has what was answered.
Result<client::HttpAnswer> ask_well(const std::string& at, std::string_view method,
                                    const std::string& path, std::string_view body,
                                    std::string_view authorization = {});

}  // namespace signet::bench
