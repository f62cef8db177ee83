#include "signet/profile/record_file.h"

#include <algorithm>

#include "crypto/wipe.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "wire/json.h"

namespace signet::cli {
namespace {

using wire::JsonKind;
using wire::JsonValue;

constexpr std::string_view kVersionKey = "version";
constexpr std::int64_t kVersion = 1;

Error broken(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

}  // namespace

Record::~Record() {
  for (auto& [name, json] : members_) crypto::wipe(json);
}

const std::string* Record::find(std::string_view key) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const auto& member) { return member.first == key; });
  return found == members_.end() ? nullptr : &found->second;
}

// A member's JSON is one whole value, so parsing it again can't fail for what read() took.
std::string Record::text(std::string_view key) const {
  const std::string* json = find(key);
  wire::JsonDocument document;
  if (json == nullptr || !document.parse(*json).ok()) return {};
  return std::string(document.root().string().value_or(""));
}

std::optional<std::int64_t> Record::integer(std::string_view key) const {
  const std::string* json = find(key);
  wire::JsonDocument document;
  if (json == nullptr || !document.parse(*json).ok()) return std::nullopt;
  return document.root().integer();
}

bool Record::flag(std::string_view key) const {
  const std::string* json = find(key);
  return json != nullptr && *json == "true";
}

void Record::set(std::string_view key, std::string_view text) {
  if (text.empty()) {
    std::erase_if(members_, [&](const auto& member) { return member.first == key; });
    return;
  }
  std::string json;
  wire::append_json_string(json, text);
  set_raw(key, std::move(json));
}

void Record::set(std::string_view key, std::int64_t number) {
  set_raw(key, std::to_string(number));
}

void Record::set_flag(std::string_view key, bool flag) { set_raw(key, flag ? "true" : "false"); }

void Record::set_raw(std::string_view key, std::string json) {
  for (auto& [name, value] : members_) {
    if (name != key) continue;
    crypto::wipe(value);
    value = std::move(json);
    return;
  }
  members_.emplace_back(key, std::move(json));
}

Result<RecordFile> RecordFile::read(std::string_view text, std::string_view name) {
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(text));
  const JsonValue root = document.root();
  if (!root.is(JsonKind::kObject)) return broken("no object");
  if (root[kVersionKey] && root[kVersionKey].integer() != kVersion) {
    return broken("a version that this program does not know");
  }
  RecordFile file;
  for (std::size_t i = 0; i < root.size(); ++i) {
    if (root.key(i) != name) file.head.set_raw(root.key(i), std::string(root[i].raw()));
  }
  const JsonValue list = root[name];
  if (list && !list.is(JsonKind::kArray)) return broken(std::string(name) + " is no list");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is(JsonKind::kObject)) return broken(std::string(name) + " holds no objects");
    Record& record = file.records.emplace_back();
    for (std::size_t j = 0; j < list[i].size(); ++j) {
      record.set_raw(list[i].key(j), std::string(list[i][j].raw()));
    }
  }
  return file;
}

std::string RecordFile::write(std::string_view name) const {
  wire::JsonWriter json;
  json.object().key(kVersionKey).value(kVersion);
  for (const auto& [key, value] : head.members_) {
    if (key != kVersionKey) json.key(key).raw(value);
  }
  json.key(name).array();
  for (const Record& record : records) {
    json.object();
    for (const auto& [key, value] : record.members_) json.key(key).raw(value);
    json.end();
  }
  return json.end().end().take() + "\n";
}

Result<RecordFile> RecordFile::load(const std::string& path, std::string_view name) {
  auto text = read_private_file(path);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) return RecordFile{};
  if (!text.ok()) return text.error();
  const crypto::WipedAtEnd wiped(*text);
  auto file = read(*text, name);
  if (file.ok()) return file;
  return failure(ErrorCode::kMalformed, "file_broken",
                 path + " can't be read: " + file.error().detail,
                 "Repair it, or move it away: nothing was changed.");
}

Status RecordFile::change(const std::string& folder, const std::string& path, std::string_view name,
                          const std::function<Status(RecordFile&)>& how) {
  SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(folder));
  SIGNET_TRY([[maybe_unused]] const FolderLock lock, FolderLock::take(folder));
  SIGNET_TRY(RecordFile file, load(path, name));
  SIGNET_TRY([[maybe_unused]] const Done changed, how(file));
  std::string text = file.write(name);
  const crypto::WipedAtEnd wiped(text);
  return write_private_file(path, text);
}

}  // namespace signet::cli
