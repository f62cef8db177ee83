#include "wire/http_head.h"

#include <algorithm>
#include <array>

#include "wire/http_fields.h"
#include "wire/utf8.h"

namespace signet::wire {
namespace {

constexpr std::array<std::string_view, 6> kMethods = {"GET",    "POST", "PUT",
                                                      "DELETE", "HEAD", "OPTIONS"};

constexpr int kNoContent = 204;        // ends with its head: RFC 9110 section 8.6
constexpr int kUpgradeRequired = 426;  // must name what to upgrade to: RFC 9110 section 15.5.22

// The longest first line: a method and a version that are known, two spaces, and the target.
constexpr std::size_t kFirstLineRest = 7 + 1 + 1 + 8;

template <class T>
bool contains(const T& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Visible ASCII without what a URL never carries bare and other parsers stop at or turn.
bool is_target_char(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"#<>\\").find(c) == std::string_view::npos;
}

std::optional<BadRequest> read_target(std::string_view target, const HttpLimits& limits,
                                      RequestHead& head) {
  if (target.size() > limits.max_target_bytes) return BadRequest{414, "target length"};
  if (target.empty() || target.front() != '/') return BadRequest{400, "target form"};
  if (!std::all_of(target.begin(), target.end(), is_target_char)) {
    return BadRequest{400, "target character"};
  }
  const std::size_t question = target.find('?');
  head.target = target;
  head.path = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  return std::nullopt;
}

std::optional<BadRequest> read_version(std::string_view version, RequestHead& head) {
  head.http_1_1 = version == "HTTP/1.1";
  if (head.http_1_1 || version == "HTTP/1.0") return std::nullopt;
  const bool well_formed = version.size() == 8 && version.substr(0, 5) == "HTTP/" &&
                           is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  return well_formed ? BadRequest{505, "version"} : BadRequest{400, "version"};
}

std::optional<BadRequest> read_request_line(std::string_view line, const HttpLimits& limits,
                                            RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return BadRequest{400, "request line"};
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return BadRequest{400, "method"};
  if (auto bad = read_target(line.substr(first + 1, last - first - 1), limits, head)) return bad;
  if (auto bad = read_version(line.substr(last + 1), head)) return bad;
  if (!contains(kMethods, head.method)) return BadRequest{501, "method"};
  return std::nullopt;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  unsigned value = 0;
  for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= 65'535;
}

bool is_ipv6_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

// uri-host [":" port]: a name, an IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view text) {
  std::string_view name = text;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    name = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!std::all_of(name.begin(), name.end(), is_ipv6_char)) return false;
  } else {
    name = text.substr(0, text.find(':'));
    port = text.substr(name.size());
    const auto ok = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
    if (!std::all_of(name.begin(), name.end(), ok)) return false;
  }
  if (name.empty()) return false;
  return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
}

std::optional<BadRequest> read_content_length(RequestHead& head) {
  const auto text = head.header("content-length");
  if (!text) return std::nullopt;
  if (text->empty() || !std::all_of(text->begin(), text->end(), is_digit)) {
    return BadRequest{400, "content-length"};
  }
  constexpr std::size_t kMaxDigits =
      18;  // what is longer is larger than any body, and may overflow
  if (text->size() > kMaxDigits) return BadRequest{413, "content-length"};
  for (const char c : *text) {
    head.content_length = head.content_length * 10 + static_cast<std::size_t>(c - '0');
  }
  const bool bodiless = head.method == "GET" || head.method == "HEAD";
  if (bodiless && head.content_length > 0) return BadRequest{400, "body of a GET"};
  return std::nullopt;
}

std::optional<BadRequest> check_fields(RequestHead& head) {
  if (head.header("transfer-encoding")) return BadRequest{501, "transfer-encoding"};
  const auto host = head.header("host");
  if (!host && head.http_1_1) return BadRequest{400, "no host"};
  if (host && !is_host(*host)) return BadRequest{400, "host"};
  head.keep_alive = head.http_1_1 && !lists_token(head.headers, "connection", "close");
  return read_content_length(head);
}

// What can be said of a first line before its end is there. `start` is what came of it.
std::optional<BadRequest> check_first_line_start(std::string_view start, const HttpLimits& limits) {
  if (!start.empty() && !is_token(start.substr(0, 1))) return BadRequest{400, "method"};
  if (!start.empty() && start.back() == '\r') start.remove_suffix(1);
  if (start.size() > limits.max_target_bytes + kFirstLineRest) {
    return BadRequest{414, "target length"};
  }
  return std::nullopt;
}

std::string_view phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  out.append("\r\n");
}

std::optional<int> hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> unescape_percent(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out.push_back(path[i]);
      continue;
    }
    if (path.size() - i < 3) return std::nullopt;
    const auto high = hex_digit(path[i + 1]);
    const auto low = hex_digit(path[i + 2]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(*high * 16 + *low));
    if (out.back() == '/') return std::nullopt;
    i += 2;
  }
  return out;
}

bool has_dot_segment(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<std::string_view> RequestHead::header(std::string_view name) const {
  return field(headers, name);
}

std::variant<RequestHead, NeedMore, BadRequest> parse_request_head(std::string_view bytes,
                                                                   const HttpLimits& limits) {
  if (auto bad = check_first_line_start(bytes.substr(0, bytes.find('\n')), limits)) return *bad;
  LineReader reader(bytes);
  const auto first = reader.next();
  if (const auto* bad = std::get_if<BadRequest>(&first)) return *bad;
  const auto* line = std::get_if<std::string_view>(&first);
  if (line == nullptr) return NeedMore{};
  RequestHead head;
  if (auto bad = read_request_line(*line, limits, head)) return *bad;

  const auto found = find_fields(bytes, reader, limits);
  if (const auto* bad = std::get_if<BadRequest>(&found)) return *bad;
  const auto* fields = std::get_if<FieldLines>(&found);
  if (fields == nullptr) return NeedMore{};
  head.head_bytes = fields->head_bytes;
  if (auto bad = read_fields(fields->lines, head.headers)) return *bad;
  if (auto bad = check_fields(head)) return *bad;
  return head;
}

std::optional<std::string> decode_path(std::string_view path) {
  auto decoded = unescape_percent(path);
  if (!decoded || !is_utf8(*decoded) || has_dot_segment(*decoded)) return std::nullopt;
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  if (std::any_of(decoded->begin(), decoded->end(), is_control)) return std::nullopt;
  return decoded;
}

void append_response(std::string& out, const ResponseHead& head, std::string_view body) {
  out.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ");
  out.append(phrase(head.status)).append("\r\n");
  if (!head.content_type.empty()) append_field(out, "Content-Type", head.content_type);
  for (const auto& [name, value] : head.headers) append_field(out, name, value);
  if (head.status == kUpgradeRequired) {
    append_field(out, "Upgrade", "websocket");
    append_field(out, "Connection", "Upgrade");
    append_field(out, "Sec-WebSocket-Version", "13");
  }
  const bool has_length = head.status != kNoContent;
  if (has_length) append_field(out, "Content-Length", std::to_string(body.size()));
  if (head.close) append_field(out, "Connection", "close");
  out.append("\r\n");
  if (has_length && !head.without_body) out.append(body);
}

}  // namespace signet::wire
