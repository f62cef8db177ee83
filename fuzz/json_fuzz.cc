// JSON: the raw text of what is accepted parses again to the same values, and so does what the
// writer makes of them. Nothing outside the limits is accepted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/json.h"
#include "wire/utf8.h"

namespace {

using namespace signet::wire;

void check(bool holds) {
  if (!holds) std::abort();
}

// Whether two values mean the same; their texts too, where `raw` says so.
void check_same(const JsonValue& a, const JsonValue& b, bool raw) {
  check(a.kind() == b.kind() && a.size() == b.size());
  check(a.string() == b.string() && a.boolean() == b.boolean());
  check(a.number() == b.number() && a.integer() == b.integer());
  if (raw) check(a.raw() == b.raw());
  for (std::size_t i = 0; i < a.size(); ++i) {
    check(a.key(i) == b.key(i) && is_utf8(a.key(i)));
    if (a.is(JsonKind::kObject)) check(a[a.key(i)].raw() == a[i].raw());
    check_same(a[i], b[i], raw);
  }
}

void write(JsonWriter& writer, const JsonValue& value) {
  switch (*value.kind()) {
    case JsonKind::kNull:
      writer.null();
      return;
    case JsonKind::kBool:
      writer.value(*value.boolean());
      return;
    case JsonKind::kNumber:
      writer.raw(value.raw());
      return;
    case JsonKind::kString:
      writer.value(*value.string());
      return;
    case JsonKind::kArray:
      writer.array();
      for (std::size_t i = 0; i < value.size(); ++i) write(writer, value[i]);
      writer.end();
      return;
    case JsonKind::kObject:
      writer.object();
      for (std::size_t i = 0; i < value.size(); ++i) write(writer.key(value.key(i)), value[i]);
      writer.end();
      return;
  }
}

std::size_t depth_of(const JsonValue& value) {
  std::size_t deepest = 0;
  for (std::size_t i = 0; i < value.size(); ++i) deepest = std::max(deepest, depth_of(value[i]));
  return value.is(JsonKind::kArray) || value.is(JsonKind::kObject) ? deepest + 1 : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static JsonDocument reused;  // what an earlier text left must not show
  JsonDocument fresh;
  const auto parsed = reused.parse(text);
  check(parsed.ok() == fresh.parse(text).ok());
  std::string quoted;
  append_json_string(quoted, text);
  check(JsonDocument().parse(quoted).ok());
  if (!parsed.ok()) return 0;
  check_same(reused.root(), fresh.root(), true);
  check(is_utf8(text) && depth_of(reused.root()) <= JsonLimits{}.max_depth);

  JsonDocument again;
  check(again.parse(reused.root().raw()).ok());
  check_same(reused.root(), again.root(), true);
  JsonWriter writer;
  write(writer, reused.root());
  check(again.parse(writer.text()).ok());
  check_same(reused.root(), again.root(), false);
  return 0;
}
