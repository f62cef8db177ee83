#include "config/setting.h"

namespace signet::config {
namespace {

void append_upper(std::string& out, std::string_view text) {
  for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::string name_of(const Setting& setting) {
  return std::string(setting.section).append(".").append(setting.key);
}

std::string environment_name(const Setting& setting) {
  std::string name = "SIGNET_";
  append_upper(name, setting.section);
  name += '_';
  append_upper(name, setting.key);
  return name;
}

}  // namespace signet::config
