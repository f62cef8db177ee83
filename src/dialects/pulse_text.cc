#include "dialects/pulse_text.h"

namespace signet::dialects {
namespace {

constexpr std::string_view kTimeStamp = "_mesh_timestamp";
constexpr std::string_view kTopicStamp = "_mesh_topic";
constexpr std::string_view kFromStamp = "_mesh_from";
constexpr std::string_view kSignet = "signet";  // the only one that it names

bool is_stamp(std::string_view name) {
  return name == kTimeStamp || name == kTopicStamp || name == kFromStamp;
}

// A member's name and value as they were sent: from the quote that opens the name, which stands
// behind `before`, to the end of the value.
std::string_view member_text(const char* before, std::string_view value) {
  while (*before != '"') ++before;  // a bracket or a comma, and space
  return {before, static_cast<std::size_t>(value.data() + value.size() - before)};
}

}  // namespace

std::string open_pulse(wire::JsonValue object) {
  std::string open;
  open.reserve(object.raw().size());
  open.push_back('{');
  const char* end = object.raw().data();  // of what was read
  for (std::size_t i = 0; i < object.size(); ++i) {
    const std::string_view value = object[i].raw();
    const std::string_view text = member_text(end, value);
    end = value.data() + value.size();
    if (is_stamp(object.key(i))) continue;
    if (open.size() > 1) open.push_back(',');
    open.append(text);
  }
  return open;
}

bool has_own_stamp(wire::JsonValue object) { return static_cast<bool>(object[kFromStamp]); }

std::string stamp_pulse(std::string_view open, WallTime at, std::string_view topic) {
  wire::JsonWriter stamps;
  stamps.object().key(kTimeStamp).value(pulse_time(at)).key(kTopicStamp).value(topic).end();
  std::string pulse(open);
  if (open.size() > 1) pulse.push_back(',');
  return pulse.append(stamps.text(), 1);
}

std::string own_pulse(std::string_view topic, std::string_view payload, WallTime at) {
  wire::JsonWriter pulse;
  pulse.object().key("source").value(kSignet).key("topic").value(topic);
  pulse.key("intent").value("govern").key("payload").raw(payload);
  pulse.key(kTimeStamp).value(pulse_time(at)).key(kTopicStamp).value(topic);
  return pulse.key(kFromStamp).value(kSignet).end().take();
}

std::string pulse_time(WallTime at) {
  std::string text = iso8601(at);
  text.pop_back();            // the Z
  return text.append("000");  // the clock counts milliseconds
}

}  // namespace signet::dialects
