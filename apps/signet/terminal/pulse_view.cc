#include "signet/terminal/pulse_view.h"

#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::size_t kKeyDigits = 64;
constexpr std::size_t kShownKeyDigits = 16;

// A member is a key, a source of PulseMesh has a name.
std::string shown_sender(const std::string& from) {
  return printable_line(from.size() == kKeyDigits ? from.substr(0, kShownKeyDigits) : from);
}

std::int64_t number_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

std::string one_line_json(std::string_view json) {
  std::string out;
  bool in_string = false, escaped = false;
  for (const char c : json) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_space && !in_string) continue;
    out += c;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
  }
  return out;
}

Fields pulse_fields(const Pulse& pulse) {
  return {{"topic", pulse.topic},
          {"number", number_of(pulse.number)},
          {"topicNumber", number_of(pulse.topic_number)},
          {"from", pulse.from},
          {"at", pulse.at},
          {"missed", number_of(pulse.missed)},
          {"gap", pulse.gap},
          {"pulse", Json{one_line_json(pulse.json)}}};
}

std::string pulse_line(const Pulse& pulse, const Output& out) {
  return printable_line(pulse.at) + "  " + out.paint("\033[1m", printable_line(pulse.topic)) +
         "  " + shown_sender(pulse.from) + "  " + printable_json(one_line_json(pulse.json));
}

std::string loss_before(const Pulse& pulse) {
  const std::string before = " before number " + std::to_string(pulse.number);
  if (pulse.gap) {
    return "WARNING: a gap: pulses" + before + " are gone, and nobody knows how many";
  }
  if (pulse.missed == 0) return "";
  return "WARNING: " + std::to_string(pulse.missed) + " pulse(s) of " +
         printable_line(pulse.topic) + before + " did not come";
}

std::vector<Column> pulse_columns() {
  return {{"topic", "TOPIC"},           {"number", "NUMBER"}, {"topicNumber", "", Show::kNever},
          {"from", "FROM", Show::kKey}, {"at", "AT"},         {"pulse", "PULSE"}};
}

std::vector<Value> pulse_row(const Pulse& pulse) {
  return {pulse.topic, number_of(pulse.number),        number_of(pulse.topic_number), pulse.from,
          pulse.at,    Json{one_line_json(pulse.json)}};
}

}  // namespace signet::cli
