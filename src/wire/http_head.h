// HTTP/1.1 heads: the request line and headers of RFC 9112, read strictly. What two parsers could
// read in two ways is refused: bare LF, obsolete line folding, spaces before a colon, repeated or
// conflicting lengths, Transfer-Encoding at all, control characters, and absolute targets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace signet::wire {

struct HttpLimits {
  std::size_t max_head_bytes = 16'384;
  std::size_t max_headers = 100;
  std::size_t max_target_bytes = 2'048;
};

// RequestHead borrows the bytes it was parsed from and must not outlive them.
struct RequestHead {
  struct Header {
    std::string_view name;  // as sent; compare with header()
    std::string_view value;
  };
  std::string_view method;
  std::string_view target;  // origin form: path and query, as sent
  std::string_view path;    // target before '?', as sent (percent-decoding: decode_path)
  std::string_view query;   // target after '?', or empty
  std::vector<Header> headers;
  std::size_t content_length = 0;
  bool keep_alive = true;      // HTTP/1.1 without `Connection: close`; HTTP/1.0 never
  bool http_1_1 = true;        // false: HTTP/1.0
  std::size_t head_bytes = 0;  // where the body starts

  // The value of the only header of that name (names ignore case); nullopt where there is none.
  // A name that occurs twice answers the first; parse_request_head has already refused repeats of
  // those that must be single (Host, Content-Length, Content-Type, Authorization, Upgrade, Origin,
  // Sec-WebSocket-Key, -Version).
  std::optional<std::string_view> header(std::string_view name) const;
  // Says a proxy that it carried it? Then its peer is not who asks.
  bool was_forwarded() const {
    return header("forwarded") || header("x-forwarded-for") || header("via");
  }
};

struct NeedMore {};
// The status to answer (400, 405, 413, 414, 431, 501, 505) before closing, and the broken rule.
struct BadRequest {
  int status;
  std::string_view rule;
};

// Reads the head at the start of `bytes`. Keeps no state: call it again with more bytes after
// NeedMore. A head that breaks a rule gets the same answer however it arrives, and an oversized one
// is refused before its end is seen.
std::variant<RequestHead, NeedMore, BadRequest> parse_request_head(std::string_view bytes,
                                                                   const HttpLimits& limits);

// Percent-decodes a path; nullopt for bad escapes, encoded NUL or control characters, an encoded
// '/', invalid UTF-8, or a `.` or `..` segment.
std::optional<std::string> decode_path(std::string_view path);

// An answer's head, with Content-Length, Date-less, and `Connection: close` where asked. Control
// characters in a value become spaces, so that no value can start another header. A 204 has neither
// length nor body, whatever is given; a 426 says that the way up is WebSocket version 13.
struct ResponseHead {
  int status;
  std::string_view content_type;  // empty: none
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  bool close = false;
  bool without_body = false;  // the answer to HEAD: the length of `body`, and none of it
};
void append_response(std::string& out, const ResponseHead& head, std::string_view body);

}  // namespace signet::wire
