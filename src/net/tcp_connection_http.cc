#include <algorithm>
#include <optional>

#include "base/log.h"
#include "net/tcp_connection.h"
#include "wire/websocket_upgrade.h"

namespace signet::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kForbidden = 403;
constexpr int kTooLarge = 413;
constexpr std::size_t kLoggedOriginBytes = 128;

CloseReason reason_of(int status) {
  switch (status) {
    case kTooLarge:
      return CloseReason::kTooBig;
    case 408:
      return CloseReason::kTimedOut;
    case 503:
      return CloseReason::kInternal;
    case kForbidden:
      return CloseReason::kPolicy;
    default:
      return CloseReason::kProtocolError;
  }
}

bool is_in_any_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

bool is_continue(std::optional<std::string_view> expect) {
  return expect && is_in_any_case(*expect, "100-continue");
}

std::vector<std::string_view> forwarded_lines(const wire::RequestHead& head) {
  std::vector<std::string_view> lines;
  for (const auto& header : head.headers) {
    if (is_in_any_case(header.name, "x-forwarded-for")) lines.push_back(header.value);
  }
  return lines;
}

}  // namespace

HeldRequest& TcpConnection::held() {
  if (!held_) held_ = std::make_unique<HeldRequest>();
  return *held_;
}

std::size_t TcpConnection::most_request_bytes() const {
  return shard_.options.http.max_head_bytes + shard_.options.max_body_bytes;
}

// One whole request, and no more than that, is ever held.
std::size_t TcpConnection::input_room() const {
  const std::size_t have = held_ ? held_->bytes.size() : 0;
  const std::size_t room = std::max(most_request_bytes(), held_ ? held_->wanted : 0);
  return room > have ? room - have : 1;
}

std::size_t TcpConnection::most_body_bytes(const wire::RequestHead& head) const {
  return std::max(shard_.options.max_body_bytes, shard_.events->max_body_bytes(head));
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
// after it was refused or moves to another shard with its bytes.
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
  if (head.content_length > shard_.options.max_body_bytes &&
      head.content_length > most_body_bytes(head)) {
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
  note_client(head);
  if (is_foreign_page(head, upgrade != nullptr)) {
    refuse_page(*head.header("origin"));
    return 0;
  }
  if (upgrade != nullptr) held().key = upgrade->key;
  report(head, bytes.substr(head.head_bytes, head.content_length), upgrade != nullptr,
         upgrade != nullptr ? upgrade->subprotocols : none);
  return moving() ? 0 : request_bytes;
}

// A proxy may send the requests of many clients on one connection.
void TcpConnection::note_client(const wire::RequestHead& head) {
  if (shard_.proxies.empty()) return;
  const auto proxy = shard_.proxies.find(slot_);
  if (proxy == shard_.proxies.end()) return;
  peer_ = client_of(proxy->second, forwarded_lines(head), shard_.trusted_proxies);
}

// On the operator's door nothing is for pages, whosoever: some of it is answered without a token.
bool TcpConnection::is_foreign_page(const wire::RequestHead& head, bool upgrade) const {
  const auto origin = head.header("origin");
  if (!origin) return false;
  if (door_ == Door::kOperator) return true;
  return !shard_.origins->allows(*origin) && (upgrade || !shard_.events->is_public(head));
}

void TcpConnection::refuse_page(std::string_view origin) {
  shard_.metrics.origins_refused.add();
  if (const auto repeated = shard_.origins_log.take(0, shard_.now)) {
    log(LogLevel::kWarn, "origin.refused",
        {{"repeated", *repeated},
         {"origin", origin.substr(0, kLoggedOriginBytes)},
         {"peer", peer_.text()}});
  }
  answer_and_close(kForbidden, "origin not allowed\n");
}

void TcpConnection::report(const wire::RequestHead& head, std::string_view body, bool upgrade,
                           const std::vector<std::string_view>& subprotocols) {
  state_ = State::kResponse;
  due_ = shard_.now + shard_.options.answer_timeout;  // an owner that forgets must not leak
  begun_ = false;
  reported_ = true;
  keep_alive_ = head.keep_alive;
  head_only_ = head.method == "HEAD";
  if (held_) {
    held_->wanted = 0;
    held_->is_large = false;
  }
  rearm();
  // Before its owner hears of it: what it asks of another thread may be these very figures.
  if (!counted_) shard_.metrics.http_requests.add();
  counted_ = false;
  shard_.reporting = this;
  shard_.events->on_request(*this, HttpRequest{head, body, upgrade, subprotocols});
  shard_.reporting = nullptr;
}

void TcpConnection::wait_for_body(const wire::RequestHead& head, std::size_t request_bytes) {
  const bool first_time = held().wanted == 0;
  held().wanted = request_bytes;
  held_->is_large = head.content_length > shard_.options.max_body_bytes;
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
  if (state_ != State::kRequest && state_ != State::kResponse && !moving()) {
    held_.reset();
    return;
  }
  if (ours && (used > most_request_bytes() || (used > 0 && held_->is_counted()))) {
    keep_only(rest);
  } else if (ours) {
    held_->bytes.erase(0, used);
  } else if (!rest.empty()) {
    held().bytes.assign(rest.data(), rest.size());
  }
  if (state_ != State::kRequest) return;
  rest.empty() ? held_.reset() : wait_for_rest();
}

// After a large body: its memory goes with it.
void TcpConnection::keep_only(std::span<const char> rest) {
  auto kept = std::make_unique<HeldRequest>();
  kept->bytes.assign(rest.data(), rest.size());
  kept->key = std::move(held_->key);
  held_ = std::move(kept);
}

// The clock of a request starts with its first byte and is never set back.
void TcpConnection::wait_for_rest() {
  if (held_->is_large && !held_->count(shard_.large_bodies, shard_.options.large_body_bytes)) {
    refuse(503, "too many large bodies");
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
// starts.
void TcpConnection::refuse(int status, std::string_view rule) {
  shard_.metrics.http_bad.add();
  answer_and_close(status, rule);
}

// The peer may still be sending, so its bytes are read and dropped until it stops.
void TcpConnection::answer_and_close(int status, std::string_view rule) {
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
  if (!half_a_request) return drop(CloseReason::kTimedOut);
  refuse(408, "request timeout");
  held_.reset();
}

}  // namespace signet::net
