// OriginList says which web pages may connect. A browser sends any page's WebSocket anywhere, with
// the page's origin (RFC 6454) in a header that no script can set: whoever does not look at it
// serves every page that somebody of this network happens to read.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::net {

// OriginList is immutable; pure.
class OriginList {
 public:
  // Of whole origins, SCHEME://HOST or SCHEME://HOST:PORT, in the ASCII form that browsers send
  // (RFC 6454, section 6.2: lower case, no default port), and of the word "loopback": every http
  // or https page of 127.0.0.0/8, [::1] and localhost, at any port. Fails kMalformed with a
  // sentence about the first entry that is neither; "null", which any sandboxed page sends, is
  // none.
  static Result<OriginList> of(const std::vector<std::string>& entries);
  // Of every page: for tests of what comes before and after it.
  static OriginList any();

  // Whether a page with that header may; compared letter by letter. Who sends no header is no
  // page, and not asked about here.
  bool allows(std::string_view origin) const;

 private:
  bool any_ = false;
  bool loopback_ = false;
  std::set<std::string, std::less<>> listed_;  // ordered: who asks must not choose collisions
};

}  // namespace signet::net
