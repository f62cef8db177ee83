#include "client/http.h"

#include <array>
#include <charconv>

#include "net/blocking_socket.h"

namespace signet::client {
namespace {

constexpr std::size_t kMaxAnswerBytes = 1 << 20;

std::string request_text(const Url& url, std::string_view method, std::string_view body) {
  std::string text(method);
  text.append(" ").append(url.path).append(" HTTP/1.1\r\nHost: ").append(url.host);
  text.append(":").append(std::to_string(url.port)).append("\r\nConnection: close\r\n");
  if (!body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

}  // namespace

Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout) {
  SIGNET_TRY(auto socket, net::BlockingSocket::connect(url.host, url.port, timeout));
  SIGNET_TRY([[maybe_unused]] const Done sent,
             socket.send_all(request_text(url, method, body), timeout));
  std::string answer;
  std::array<char, 16'384> chunk{};
  while (answer.size() < kMaxAnswerBytes) {
    SIGNET_TRY(const std::size_t got, socket.receive(chunk, timeout));
    if (got == 0) break;
    answer.append(chunk.data(), got);
  }
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const auto head_end = answer.find("\r\n\r\n");
  HttpAnswer read;
  if (head_end == std::string::npos || !answer.starts_with(kVersion)) {
    return Error{ErrorCode::kUnavailable, "the server broke off its answer"};
  }
  const char* digits = answer.data() + kVersion.size();
  std::from_chars(digits, answer.data() + head_end, read.status);
  read.body = answer.substr(head_end + 4);
  return read;
}

}  // namespace signet::client
