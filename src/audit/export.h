// An export is a whole log as lines of JSON: who made it, each entry as it is in the log, the
// checkpoint over them. Checking one needs the lines and the log's key and nothing else. Pure.
//   {"signet-log":1,"key":"<verifier key>"}
//   {"n":0,…}
//   …
//   {"checkpoint":"<signed note>"}
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "base/time.h"
#include "crypto/merkle.h"
#include "signet/result.h"

namespace signet::audit {

// The first and the last line, without a line break.
std::string export_head(const Verifier& key);
std::string export_end(std::string_view note);

// No line of an export is longer: the last, of which every byte could be an escape of six.
inline constexpr std::size_t kMostExportLineBytes = 6 * kMostNoteBytes + 64;

// What whoever checks has from elsewhere.
struct Expected {
  // Without it the key is the export's own: then all agrees with itself, and whoever wrote one
  // could have written the other.
  std::optional<Verifier> key;
  // A note of the same log from before. Empty: none. With it, a history that was written anew is
  // found even though it was signed with the log's key.
  std::string earlier_note;
};

// What a check saw besides.
struct ExportFacts {
  std::optional<Verifier> key;  // the one that was checked with, from the first line on
  std::optional<WallTime> first;
  std::optional<WallTime> last;
  std::uint64_t steps_back = 0;  // entries before whose time their predecessor's is: clocks are set
};

// ExportVerifier is fed line by line and keeps one hash a level, however long the log. Copied
// freely. The first fault stays the answer; its text is a sentence for people.
class ExportVerifier {
 public:
  explicit ExportVerifier(Expected expected);

  // `line` is without its line break. kMalformed for what is no line of an export or not the next
  // one; kUnauthorized for another key or a false signature; kConflict for entries that are not
  // those that were signed.
  Status add(std::string_view line);
  // What holds when all lines were added. kMalformed when the last one is missing.
  Result<Checkpoint> finish() const;
  const ExportFacts& facts() const { return facts_; }

 private:
  Status read(std::string_view line);
  Status read_head(std::string_view line);
  Status read_entry(std::string_view line);
  Status read_end(std::string_view line);
  void compare_with_earlier();
  Error fault(ErrorCode code, const std::string& what) const;

  Expected expected_;
  ExportFacts facts_;
  crypto::MerkleFrontier frontier_;
  std::optional<Checkpoint> earlier_;
  bool earlier_agrees_ = true;  // so far as the log was that long
  std::optional<Checkpoint> end_;
  std::optional<Error> failed_;
  std::uint64_t line_ = 0;  // from 1, of the one being read
};

}  // namespace signet::audit
