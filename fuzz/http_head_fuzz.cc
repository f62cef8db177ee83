// HTTP heads: any prefix gets NeedMore or the answer of the whole, and what is accepted, written
// again, reads as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http_head.h"
#include "wire/utf8.h"
#include "wire/websocket_upgrade.h"

namespace {

using namespace signet::wire;

constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";

void check(bool holds) {
  if (!holds) std::abort();
}

bool same(const RequestHead& a, const RequestHead& b) {
  if (a.method != b.method || a.target != b.target || a.headers.size() != b.headers.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.headers.size(); ++i) {
    if (a.headers[i].name != b.headers[i].name) return false;
    if (a.headers[i].value != b.headers[i].value) return false;
  }
  return a.content_length == b.content_length && a.keep_alive == b.keep_alive &&
         a.http_1_1 == b.http_1_1;
}

using Parsed = std::variant<RequestHead, NeedMore, BadRequest>;

bool same(const Parsed& a, const Parsed& b) {
  if (a.index() != b.index()) return false;
  if (const auto* head = std::get_if<RequestHead>(&a)) {
    const auto& other = std::get<RequestHead>(b);
    return same(*head, other) && head->head_bytes == other.head_bytes;
  }
  const auto* bad = std::get_if<BadRequest>(&a);
  return bad == nullptr || (bad->status == std::get<BadRequest>(b).status &&
                            bad->rule == std::get<BadRequest>(b).rule);
}

std::string written(const RequestHead& head) {
  std::string out;
  out.append(head.method).append(" ").append(head.target);
  out.append(head.http_1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const auto& header : head.headers) {
    out.append(header.name).append(":").append(header.value).append("\r\n");
  }
  return out.append("\r\n");
}

void check_accepted(const RequestHead& head, const HttpLimits& limits) {
  check(head.headers.size() <= limits.max_headers && head.head_bytes <= limits.max_head_bytes);
  const std::string again = written(head);
  const Parsed reparsed = parse_request_head(again, limits);
  check(std::holds_alternative<RequestHead>(reparsed));
  check(same(head, std::get<RequestHead>(reparsed)));
  if (const auto path = decode_path(head.path)) {
    check(is_utf8(*path) && path->find("/../") == std::string::npos);
  }
  const auto upgrade = read_upgrade(head);
  if (const auto* asked = std::get_if<Upgrade>(&upgrade)) {
    std::string answer;
    append_switching_protocols(answer, asked->key, "");
    check(std::holds_alternative<std::size_t>(read_upgrade_response(answer, asked->key)));
  }
}

void check_response(std::string_view bytes) {
  const auto whole = read_upgrade_response(bytes, kSampleKey);
  const auto half = read_upgrade_response(bytes.substr(0, bytes.size() / 2), kSampleKey);
  check(std::holds_alternative<NeedMore>(half) || half.index() == whole.index());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  HttpLimits limits;
  if ((data[0] & 1) != 0) limits = {200, 4, 40};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Parsed whole = parse_request_head(bytes, limits);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 512) {
    const std::vector<char> prefix(data + 1, data + 1 + length);  // shows a read beyond its end
    const Parsed part = parse_request_head({prefix.data(), prefix.size()}, limits);
    check(std::holds_alternative<NeedMore>(part) || same(part, whole));
  }
  if (const auto* head = std::get_if<RequestHead>(&whole)) check_accepted(*head, limits);
  check_response(bytes);
  return 0;
}
