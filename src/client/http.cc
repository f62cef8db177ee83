#include "client/http.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"
#include "net/blocking_socket.h"

namespace signet::client {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";

Error no_answer(std::string_view rule) {
  return {ErrorCode::kUnavailable, "the server's answer: " + std::string(rule)};
}

std::string request_text(const Url& url, std::string_view method, std::string_view body) {
  std::string text(method);
  text.append(" ").append(url.path).append(" HTTP/1.1\r\nHost: ").append(url.authority());
  text.append("\r\nConnection: close\r\n");
  if (!body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

// `HTTP/1.1 NNN`, and a space before a phrase.
std::optional<int> status_of(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  constexpr std::size_t kSize = kVersion.size() + 3;
  const bool shaped = line.starts_with(kVersion) && line.size() >= kSize &&
                      (line.size() == kSize || line[kSize] == ' ');
  if (!shaped) return std::nullopt;
  int status = 0;
  const char* end = line.data() + kSize;
  const auto read = std::from_chars(line.data() + kVersion.size(), end, status);
  const bool good = read.ec == std::errc() && read.ptr == end && status >= 100;
  return good ? std::optional(status) : std::nullopt;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Is this the header line of `name`? Then `line` keeps its value.
bool take_header(std::string_view& line, std::string_view name) {
  const auto same = [](char a, char b) { return lower(a) == b; };
  const bool found = line.size() > name.size() && line[name.size()] == ':' &&
                     std::equal(name.begin(), name.end(), line.begin(),
                                [&](char wanted, char c) { return same(c, wanted); });
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

Result<std::optional<HttpAnswer>> read_answer(std::string_view bytes, bool ended) {
  const std::optional<HttpAnswer> more;
  if (bytes.size() > kMaxAnswerBytes) return no_answer("too long");
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
  if (length && *length > kMaxAnswerBytes) return no_answer("too long");
  if (length ? body.size() < *length : !ended) {
    if (ended) return no_answer("it broke off");
    return more;
  }
  return std::optional(
      HttpAnswer{*status, std::string(body.substr(0, length.value_or(body.size())))});
}

Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout) {
  const Elapsed deadline = system_clock().elapsed() + timeout;
  SIGNET_TRY(auto socket, net::BlockingSocket::connect(url.host, url.port, timeout));
  SIGNET_TRY([[maybe_unused]] const Done sent,
             socket.send_all(request_text(url, method, body), timeout));
  std::string bytes;
  std::array<char, 16'384> chunk{};
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().elapsed());
    if (left <= std::chrono::milliseconds(0)) return Error{ErrorCode::kOverloaded, "too slow"};
    SIGNET_TRY(const std::size_t got, socket.receive(chunk, left));
    bytes.append(chunk.data(), got);
    SIGNET_TRY(const auto answer, read_answer(bytes, got == 0));
    if (answer) return *answer;
  }
}

}  // namespace signet::client
