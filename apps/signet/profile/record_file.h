// RecordFile is a private JSON file that holds one list of objects, `{"version":1,"NAME":[{…}]}`:
// memberships, owner keys, invites. Members that this version does not know are kept as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/result.h"

namespace signet::cli {

// Record is one JSON object, its members in order. What it holds may be secret: it is wiped.
class Record {
 public:
  Record() = default;
  Record(const Record&) = default;
  Record(Record&&) = default;
  Record& operator=(const Record&) = default;
  Record& operator=(Record&&) = default;
  ~Record();

  std::string text(std::string_view key) const;  // empty where it is missing or no string
  std::optional<std::int64_t> integer(std::string_view key) const;
  bool flag(std::string_view key) const;                  // false where it is missing
  void set(std::string_view key, std::string_view text);  // an empty text removes the member
  void set(std::string_view key, std::int64_t number);
  void set_flag(std::string_view key, bool flag);

 private:
  friend struct RecordFile;
  const std::string* find(std::string_view key) const;
  void set_raw(std::string_view key, std::string json);
  std::vector<std::pair<std::string, std::string>> members_;  // name, JSON
};

struct RecordFile {
  Record head;  // what stands beside the list
  std::vector<Record> records;

  // Fails kMalformed with the rule that is broken.
  static Result<RecordFile> read(std::string_view text, std::string_view name);
  std::string write(std::string_view name) const;

  // From the disk; an absent file is an empty list. Fails as read_private_file(), and kMalformed
  // (file_broken) with the path in its sentence.
  static Result<RecordFile> load(const std::string& path, std::string_view name);

  // Reads, lets `how` change it, writes: nobody else changes the folder meanwhile. Nothing is
  // written when `how` fails.
  static Status change(const std::string& folder, const std::string& path, std::string_view name,
                       const std::function<Status(RecordFile&)>& how);
};

}  // namespace signet::cli
