#include <algorithm>
#include <optional>

#include "net/tcp_connection.h"
#include "wire/websocket_upgrade.h"

namespace signet::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kTooLarge = 413;

CloseReason reason_of(int status) {
  switch (status) {
    case kTooLarge:
      return CloseReason::kTooBig;
    case 408:
      return CloseReason::kTimedOut;
    case 503:
      return CloseReason::kInternal;
    default:
      return CloseReason::kProtocolError;
  }
}

bool is_continue(std::optional<std::string_view> expect) {
  constexpr std::string_view wanted = "100-continue";
  return expect && std::equal(expect->begin(), expect->end(), wanted.begin(), wanted.end(),
                              [](char a, char b) {
                                return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
                              });
}

}  // namespace

TcpConnection::HeldRequest& TcpConnection::held() {
  if (!held_) held_ = std::make_unique<HeldRequest>();
  return *held_;
}

// One whole request, and no more than that, is ever held.
std::size_t TcpConnection::input_room() const {
  const std::size_t most = shard_.options.http.max_head_bytes + shard_.options.max_body_bytes;
  const std::size_t have = held_ ? held_->bytes.size() : 0;
  return most > have ? most - have : 1;
}

// Reports the requests in what was held and in `fresh`, one after the other, for as long as each
// is answered at once.
void TcpConnection::read_requests(std::span<char> fresh) {
  const std::string_view fresh_text(fresh.data(), fresh.size());
  std::span<char> bytes = fresh;
  if (held_ && !held_->bytes.empty()) {
    held_->bytes.append(fresh_text);
    bytes = held_->bytes;
  }
  const std::string_view text(bytes.data(), bytes.size());
  std::size_t used = 0;
  if (worth_parsing(text, fresh_text)) {
    while (used < text.size() && wants_input() && state_ == State::kRequest) {
      const std::size_t request_bytes = read_request(text.substr(used));
      if (request_bytes == 0) break;
      used += request_bytes;
    }
  }
  keep_rest(bytes, used);
}

// A head that trickles in is looked at once per line, not once per byte.
bool TcpConnection::worth_parsing(std::string_view bytes, std::string_view fresh) const {
  if (held_ && held_->wanted > 0) return bytes.size() >= held_->wanted;
  return fresh.size() == bytes.size() || fresh.empty() ||
         fresh.find('\n') != std::string_view::npos ||
         bytes.size() > shard_.options.http.max_head_bytes;
}

// Answers how many bytes the request at the start of `bytes` took; 0 while it is unfinished, and
// after it was refused.
std::size_t TcpConnection::read_request(std::string_view bytes) {
  const auto parsed = wire::parse_request_head(bytes, shard_.options.http);
  if (std::holds_alternative<wire::NeedMore>(parsed)) {
    if (bytes.size() > shard_.options.http.max_head_bytes) refuse(431, "head length");
    return 0;
  }
  if (const auto* bad = std::get_if<wire::BadRequest>(&parsed)) {
    refuse(bad->status, bad->rule);
    return 0;
  }
  const auto& head = std::get<wire::RequestHead>(parsed);
  if (head.content_length > shard_.options.max_body_bytes) {
    refuse(kTooLarge, "body length");
    return 0;
  }
  const std::size_t request_bytes = head.head_bytes + head.content_length;
  if (bytes.size() < request_bytes) {
    wait_for_body(head, request_bytes);
    return 0;
  }

  const auto asked = wire::read_upgrade(head);
  if (const auto* bad = std::get_if<wire::BadRequest>(&asked)) {
    refuse(bad->status, bad->rule);
    return 0;
  }
  static const std::vector<std::string_view> none;
  const auto* upgrade = std::get_if<wire::Upgrade>(&asked);
  if (upgrade != nullptr) held().key = upgrade->key;
  report(head, bytes.substr(head.head_bytes, head.content_length), upgrade != nullptr,
         upgrade != nullptr ? upgrade->subprotocols : none);
  return request_bytes;
}

void TcpConnection::report(const wire::RequestHead& head, std::string_view body, bool upgrade,
                           const std::vector<std::string_view>& subprotocols) {
  shard_.metrics.http_requests.add();
  state_ = State::kResponse;
  due_ = shard_.now + shard_.options.idle_http_timeout;  // an owner that forgets must not leak
  begun_ = false;
  reported_ = true;
  keep_alive_ = head.keep_alive;
  head_only_ = head.method == "HEAD";
  if (held_) held_->wanted = 0;
  rearm();
  shard_.events->on_request(*this, HttpRequest{head, body, upgrade, subprotocols});
}

void TcpConnection::wait_for_body(const wire::RequestHead& head, std::size_t request_bytes) {
  const bool first_time = held().wanted == 0;
  held().wanted = request_bytes;
  if (!first_time || !is_continue(head.header("expect"))) return;
  output().append(kContinue);
  want_flush();
}

// Keeps what follows the requests that were reported, wherever it belongs now.
void TcpConnection::keep_rest(std::span<char> bytes, std::size_t used) {
  const std::span<char> rest = bytes.subspan(used);
  const bool ours = held_ && bytes.data() == held_->bytes.data();
  if (websocket_) {
    const auto storage = std::move(held_);  // `rest` may lie in it
    return read_frames(rest);
  }
  if (state_ != State::kRequest && state_ != State::kResponse) {
    held_.reset();
    return;
  }
  if (ours) {
    held_->bytes.erase(0, used);
  } else if (!rest.empty()) {
    held().bytes.assign(rest.data(), rest.size());
  }
  if (state_ == State::kRequest) wait_for_rest({rest.data(), rest.size()});
}

// The clock of a request starts with its first byte and is never set back.
void TcpConnection::wait_for_rest(std::string_view rest) {
  if (rest.empty()) {
    held_.reset();
    return;
  }
  if (begun_) return;
  begun_ = true;
  due_ = shard_.now + shard_.options.head_timeout;
  rearm();
}

void TcpConnection::respond(const HttpResponse& response) {
  shard_.thread.check();
  if (state_ != State::kResponse) return;
  const bool last = !keep_alive_ || shard_.stopping;
  wire::ResponseHead head{response.status, response.content_type, {}, last, head_only_};
  for (const auto& [name, value] : response.headers) head.headers.emplace_back(name, value);
  wire::append_response(output(), head, response.body);
  if (held_) held_->key.clear();
  if (held_ && held_->bytes.empty()) held_.reset();

  if (last) return begin_close(CloseReason::kNormal, shard_.options.slow_consumer_after);
  state_ = State::kRequest;
  due_ = shard_.now + shard_.options.idle_http_timeout;
  want_flush();
  if (held_) want_to_go_on();
  rearm();
  update_interest();
}

// Answers what can't be taken and closes: after a broken rule nobody knows where the next request
// starts. The peer may still be sending, so its bytes are read and dropped until it stops.
void TcpConnection::refuse(int status, std::string_view rule) {
  shard_.metrics.http_bad.add();
  wire::ResponseHead head{status, "text/plain", {}, true};
  std::string_view body = rule;
  if (status == kTooLarge) {
    body = "payload too large";
    head.headers.emplace_back("Access-Control-Allow-Origin", "*");
  }
  wire::append_response(output(), head, body);
  begin_close(reason_of(status), shard_.options.close_timeout);
}

void TcpConnection::on_request_timeout() {
  const bool half_a_request = held_ && !held_->bytes.empty();
  if (half_a_request) return refuse(408, "request timeout");
  drop(CloseReason::kTimedOut);
}

}  // namespace signet::net
