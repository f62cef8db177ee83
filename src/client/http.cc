#include "client/http.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"
#include "crypto/wipe.h"
#include "net/outgoing_socket.h"

namespace signet::client {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr std::size_t kMaxStatusLine = 4'096;  // no phrase is longer

Error no_answer(std::string_view rule) {
  return {ErrorCode::kUnavailable, "the server's answer: " + std::string(rule)};
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_same_name(std::string_view name, std::string_view lower_case) {
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                    [](char c, char wanted) { return lower(c) == wanted; });
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

// Of these there is one in a request, and what it says decides where the request ends.
bool is_made_here(std::string_view name) {
  constexpr std::array<std::string_view, 5> kMade = {"host", "connection", "content-type",
                                                     "content-length", "transfer-encoding"};
  return std::any_of(kMade.begin(), kMade.end(),
                     [&](std::string_view made) { return is_same_name(name, made); });
}

Status check_request(const Url& url, std::string_view method, const HttpOptions& options) {
  const auto malformed = [](const char* rule) { return Error{ErrorCode::kMalformed, rule}; };
  if (!is_token(method)) return malformed("method");
  if (!is_plain_path(url.path)) return malformed("path");
  if (!is_value(url.host)) return malformed("host");
  for (const HttpHeader& header : options.headers) {
    const bool good = is_token(header.name) && is_value(header.value) && !is_made_here(header.name);
    if (!good) return malformed("header");
  }
  const bool is_local = !options.unix_socket.empty();
  if (is_local && url.secure) return malformed("no TLS over a Unix socket");
  return Done{};
}

std::string request_text(const Url& url, std::string_view method, std::string_view body,
                         const HttpOptions& options) {
  constexpr std::size_t kOwnText = 256;  // more than the names and numbers below
  std::size_t size = kOwnText + method.size() + url.path.size() + url.host.size() + body.size();
  for (const auto& header : options.headers) size += header.name.size() + header.value.size() + 4;
  std::string text;
  text.reserve(size);  // growing would leave copies of a token behind
  text.append(method).append(" ").append(url.path).append(" HTTP/1.1\r\nHost: ");
  text.append(url.authority()).append("\r\nConnection: close\r\n");
  for (const auto& header : options.headers) {
    text.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

net::Endpoint endpoint_of(const Url& url, const HttpOptions& options) {
  if (!options.unix_socket.empty()) return net::UnixEndpoint{options.unix_socket};
  return net::TcpEndpoint{url.host, url.port,
                          url.secure ? std::optional(options.tls) : std::nullopt};
}

// `HTTP/1.1 NNN`, and a space before a phrase.
std::optional<int> status_of(std::string_view line, std::string_view version = "HTTP/1.1 ") {
  const std::size_t size = version.size() + 3;
  const bool shaped = line.starts_with(version) && line.size() >= size &&
                      (line.size() == size || line[size] == ' ');
  if (!shaped) return std::nullopt;
  int status = 0;
  const char* end = line.data() + size;
  const auto read = std::from_chars(line.data() + version.size(), end, status);
  const bool good = read.ec == std::errc() && read.ptr == end && status >= 100;
  return good ? std::optional(status) : std::nullopt;
}

// Is this the header line of `name`? Then `line` keeps its value.
bool take_header(std::string_view& line, std::string_view name) {
  const bool found = line.size() > name.size() && line[name.size()] == ':' &&
                     is_same_name(line.substr(0, name.size()), name);
  if (!found) return false;
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return true;
}

// How long the body is, where the head says so; one length, in digits, and no other coding.
Result<std::optional<std::size_t>> length_of(std::string_view headers) {
  std::optional<std::size_t> length;
  while (!headers.empty()) {
    const auto end = headers.find("\r\n");
    std::string_view line = headers.substr(0, end);
    headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 2);
    if (take_header(line, "transfer-encoding")) return no_answer("transfer-encoding");
    if (!take_header(line, "content-length")) continue;
    std::size_t value = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), value);
    const bool good = read.ec == std::errc() && read.ptr == line.data() + line.size();
    if (!good || length) return no_answer("content-length");
    length = value;
  }
  return length;
}

}  // namespace

Result<std::optional<HttpAnswer>> read_answer(std::string_view bytes, bool ended,
                                              std::size_t most) {
  const std::optional<HttpAnswer> more;
  if (bytes.size() > most) return no_answer("too long");
  const auto head_end = bytes.find(kBlankLine);
  if (head_end == std::string_view::npos) {
    if (ended) return no_answer("it broke off");
    return more;
  }
  const std::string_view head = bytes.substr(0, head_end);
  const auto line_end = std::min(head.find("\r\n"), head.size());
  const auto status = status_of(head.substr(0, line_end));
  if (!status) return no_answer("status line");
  SIGNET_TRY(const auto length, length_of(head.substr(line_end)));
  const std::string_view body = bytes.substr(head_end + kBlankLine.size());
  if (length && *length > most) return no_answer("too long");
  if (length ? body.size() < *length : !ended) {
    if (ended) return no_answer("it broke off");
    return more;
  }
  return std::optional(
      HttpAnswer{*status, std::string(body.substr(0, length.value_or(body.size())))});
}

Result<std::optional<HttpAnswer>> read_status(std::string_view bytes, bool ended) {
  const std::optional<HttpAnswer> more;
  const auto end = bytes.find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > kMaxStatusLine) return no_answer("too long");
    if (ended) return no_answer("it broke off");
    return more;
  }
  const std::string_view line = bytes.substr(0, end);
  auto status = status_of(line);
  if (!status) status = status_of(line, "HTTP/1.0 ");
  if (!status) return no_answer("status line");
  return std::optional(HttpAnswer{*status, {}});
}

Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout, const HttpOptions& options) {
  using std::chrono::milliseconds;
  SIGNET_TRY([[maybe_unused]] const Done good, check_request(url, method, options));
  const Elapsed deadline = system_clock().elapsed() + timeout;
  const auto left = [&] {
    return std::chrono::ceil<milliseconds>(deadline - system_clock().elapsed());
  };
  SIGNET_TRY(auto socket,
             net::OutgoingSocket::connect(endpoint_of(url, options), timeout, options.waker));
  std::string request = request_text(url, method, body, options);
  const crypto::WipedAtEnd wiped(request);
  SIGNET_TRY([[maybe_unused]] const Done sent, socket.send_all(request, left(), options.waker));
  std::string bytes;
  std::array<char, 16'384> chunk{};
  while (left() > milliseconds(0)) {
    SIGNET_TRY(const std::size_t got, socket.receive(chunk, left(), options.waker));
    bytes.append(chunk.data(), got);
    SIGNET_TRY(auto answer, options.status_only ? read_status(bytes, got == 0)
                                                : read_answer(bytes, got == 0, options.max_answer));
    if (answer) return *std::move(answer);
  }
  return Error{ErrorCode::kOverloaded, "too slow"};
}

}  // namespace signet::client
