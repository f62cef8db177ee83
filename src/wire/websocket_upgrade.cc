#include "wire/websocket_upgrade.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "crypto/sha1.h"
#include "wire/http_fields.h"

namespace signet::wire {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3
constexpr std::string_view kVersion = "13";
constexpr std::size_t kNonceBytes = 16;       // section 4.1
constexpr std::size_t kMaxSubprotocols = 16;  // far more than any client offers; bounds the work

bool is_key(std::string_view key) {
  const auto nonce = from_base64(key);
  return nonce && nonce->size() == kNonceBytes;
}

std::optional<BadRequest> read_subprotocols(const RequestHead& head,
                                            std::vector<std::string_view>& offered) {
  std::optional<BadRequest> bad;
  const auto add = [&](std::string_view name) {
    const bool repeated = std::find(offered.begin(), offered.end(), name) != offered.end();
    if (bad || !is_token(name) || repeated || offered.size() == kMaxSubprotocols) {
      bad = BadRequest{400, "sec-websocket-protocol"};
    } else {
      offered.push_back(name);
    }
  };
  for (const Header& header : head.headers) {
    if (same_ignoring_case(header.name, "sec-websocket-protocol")) {
      for_each_element(header.value, add);
    }
  }
  return bad;
}

// The rules of section 4.2.1 for a request that wants a WebSocket.
std::optional<BadRequest> check_request(const RequestHead& head) {
  if (head.method != "GET") return BadRequest{400, "upgrade method"};
  if (!head.http_1_1) return BadRequest{400, "upgrade on HTTP/1.0"};
  if (!lists_token(head.headers, "upgrade", "websocket")) return BadRequest{400, "upgrade"};
  if (!lists_token(head.headers, "connection", "upgrade")) return BadRequest{400, "connection"};
  const auto version = head.header("sec-websocket-version");
  if (!version) return BadRequest{400, "no sec-websocket-version"};
  if (*version != kVersion) return BadRequest{426, "sec-websocket-version"};
  const auto key = head.header("sec-websocket-key");
  if (!key || !is_key(*key)) return BadRequest{400, "sec-websocket-key"};
  return std::nullopt;
}

// The status of an answer's first line; nullopt where that is no HTTP/1.1 status line.
std::optional<int> read_status(std::string_view line) {
  if (line.substr(0, 9) != "HTTP/1.1 " || line.size() < 12) return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  int status = 0;
  const char* end = line.data() + 12;
  const auto [stop, error] = std::from_chars(line.data() + 9, end, status);
  if (error != std::errc{} || stop != end || status < 100) return std::nullopt;
  return status;
}

// The rules of section 4.1 for the answer. What was not offered may not be accepted.
std::optional<std::string_view> broken_answer_rule(const std::vector<Header>& headers,
                                                   std::string_view key) {
  const auto upgrade = field(headers, "upgrade");
  if (!upgrade || !same_ignoring_case(*upgrade, "websocket")) return "upgrade";
  if (!lists_token(headers, "connection", "upgrade")) return "connection";
  const auto accept = field(headers, "sec-websocket-accept");
  if (!accept || *accept != accept_key(key)) return "sec-websocket-accept";
  if (field(headers, "sec-websocket-extensions")) return "sec-websocket-extensions";
  if (field(headers, "sec-websocket-protocol")) return "sec-websocket-protocol";
  return std::nullopt;
}

}  // namespace

std::variant<Upgrade, NotAnUpgrade, BadRequest> read_upgrade(const RequestHead& head) {
  // A proxy may add `Connection: upgrade` to ordinary requests, and `Upgrade: h2c` may be ignored;
  // a key says that somebody wanted a WebSocket.
  const bool asked = lists_token(head.headers, "upgrade", "websocket") ||
                     head.header("sec-websocket-key").has_value();
  if (!asked) return NotAnUpgrade{};
  if (auto bad = check_request(head)) return *bad;
  Upgrade upgrade;
  upgrade.key = *head.header("sec-websocket-key");
  if (auto bad = read_subprotocols(head, upgrade.subprotocols)) return *bad;
  return upgrade;
}

std::string accept_key(std::string_view key) {
  return to_base64(crypto::sha1(bytes_of(std::string(key).append(kGuid))));
}

void append_switching_protocols(std::string& out, std::string_view key,
                                std::string_view subprotocol) {
  out.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  out.append("Sec-WebSocket-Accept: ").append(accept_key(key)).append("\r\n");
  if (!subprotocol.empty()) {
    out.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  }
  out.append("\r\n");
}

void append_upgrade_request(std::string& out, std::string_view host, std::string_view path,
                            std::string_view key) {
  out.append("GET ").append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  out.append("Sec-WebSocket-Key: ").append(key).append("\r\n\r\n");
}

std::variant<std::size_t, NeedMore, BadRequest> read_upgrade_response(std::string_view bytes,
                                                                      std::string_view key) {
  LineReader reader(bytes);
  const auto first = reader.next();
  if (std::holds_alternative<BadRequest>(first)) return BadRequest{0, "bare LF"};
  const HttpLimits limits;
  const auto* line = std::get_if<std::string_view>(&first);
  if (line == nullptr) {
    if (bytes.size() > limits.max_head_bytes) return BadRequest{0, "head size"};
    return NeedMore{};
  }
  const auto status = read_status(*line);
  if (!status) return BadRequest{0, "status line"};
  if (*status != 101) return BadRequest{*status, "status"};

  const auto found = find_fields(bytes, reader, limits);
  if (const auto* bad = std::get_if<BadRequest>(&found)) return BadRequest{*status, bad->rule};
  const auto* fields = std::get_if<FieldLines>(&found);
  if (fields == nullptr) return NeedMore{};
  std::vector<Header> headers;
  if (auto bad = read_fields(fields->lines, headers)) return BadRequest{*status, bad->rule};
  if (auto rule = broken_answer_rule(headers, key)) return BadRequest{*status, *rule};
  return fields->head_bytes;
}

}  // namespace signet::wire
