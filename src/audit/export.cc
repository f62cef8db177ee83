#include "audit/export.h"

#include <utility>

#include "wire/json.h"

namespace signet::audit {
namespace {

constexpr std::int64_t kVersion = 1;

std::string_view or_nothing(std::optional<std::string_view> text) { return text.value_or(""); }

// Why a file differs is not in the root: it is one digest over everything.
constexpr const char* kRootDiffers =
    "the entries are not those that were signed: one was changed, added or taken away. The root "
    "does "
    "not say which; ";

}  // namespace

std::string export_head(const Verifier& key) {
  wire::JsonWriter writer;
  writer.object().key("signet-log").value(kVersion);
  return writer.key("key").value(verifier_key(key.origin, key.key)).end().take();
}

std::string export_end(std::string_view note) {
  wire::JsonWriter writer;
  return writer.object().key("checkpoint").value(note).end().take();
}

ExportVerifier::ExportVerifier(Expected expected) : expected_(std::move(expected)) {}

Error ExportVerifier::fault(ErrorCode code, const std::string& what) const {
  return {code, "Line " + std::to_string(line_) + ": " + what + "."};
}

Status ExportVerifier::add(std::string_view line) {
  if (failed_) return *failed_;
  ++line_;
  Status status = read(line);
  if (!status.ok()) failed_ = status.error();
  return status;
}

Status ExportVerifier::read(std::string_view line) {
  if (line.size() > kMostExportLineBytes) {
    return fault(ErrorCode::kMalformed, "it is longer than any line of an export");
  }
  if (end_) return fault(ErrorCode::kMalformed, "nothing may come after the checkpoint");
  if (!facts_.key) return read_head(line);
  return line.starts_with("{\"checkpoint\":") ? read_end(line) : read_entry(line);
}

Status ExportVerifier::read_head(std::string_view line) {
  wire::JsonDocument document;
  if (!document.parse(line).ok() || !document.root()["signet-log"]) {
    return fault(ErrorCode::kMalformed, "this is no export of a Signet log");
  }
  if (document.root()["signet-log"].integer() != kVersion) {
    return fault(ErrorCode::kMalformed, "this export has a version that is not known here");
  }
  const Result<Verifier> key = parse_verifier_key(or_nothing(document.root()["key"].string()));
  if (!key.ok() || export_head(*key) != line) {
    return fault(ErrorCode::kMalformed, "the log's key is not written as it should be");
  }
  if (expected_.key && *expected_.key != *key) {
    return fault(ErrorCode::kUnauthorized,
                 "the export is of another log or key than the expected " +
                     verifier_key(expected_.key->origin, expected_.key->key));
  }
  if (!expected_.earlier_note.empty()) {
    const Result<Checkpoint> earlier = open_checkpoint(expected_.earlier_note, key->key);
    if (!earlier.ok() || earlier->origin != key->origin) {
      return fault(ErrorCode::kUnauthorized,
                   "the earlier checkpoint is not signed by the key of this log");
    }
    earlier_ = *earlier;
  }
  facts_.key = *key;
  compare_with_earlier();
  return Done{};
}

Status ExportVerifier::read_entry(std::string_view line) {
  const Result<Entry> entry = parse_entry(line);
  if (!entry.ok()) {
    return fault(ErrorCode::kMalformed,
                 "this is no entry as the log writes it (" + entry.error().detail + ")");
  }
  const std::uint64_t due = frontier_.leaves();
  if (entry->number != due) {
    return fault(ErrorCode::kConflict, "entry " + std::to_string(entry->number) +
                                           " is where entry " + std::to_string(due) +
                                           " should be: entries are missing, doubled or moved");
  }
  frontier_.append(crypto::merkle_leaf(bytes_of(line)));
  if (facts_.last && entry->at < *facts_.last) ++facts_.steps_back;
  if (!facts_.first) facts_.first = entry->at;
  facts_.last = entry->at;
  compare_with_earlier();
  return Done{};
}

void ExportVerifier::compare_with_earlier() {
  if (!earlier_ || earlier_->entries != frontier_.leaves()) return;
  earlier_agrees_ = earlier_->root == frontier_.root();
}

Status ExportVerifier::read_end(std::string_view line) {
  wire::JsonDocument document;
  if (!document.parse(line).ok()) {
    return fault(ErrorCode::kMalformed, "the checkpoint is no JSON");
  }
  const std::string note(or_nothing(document.root()["checkpoint"].string()));
  if (export_end(note) != line) {
    return fault(ErrorCode::kMalformed, "the checkpoint is not written as it should be");
  }
  const Result<Checkpoint> end = open_checkpoint(note, facts_.key->key);
  if (!end.ok()) {
    const bool forged = end.error().code == ErrorCode::kUnauthorized;
    return fault(end.error().code, (forged ? "the checkpoint is not signed by the log's key ("
                                           : "this is no checkpoint (") +
                                       end.error().detail + ")");
  }
  if (end->origin != facts_.key->origin) {
    return fault(ErrorCode::kUnauthorized, "the checkpoint is of another log");
  }
  const std::string here = std::to_string(frontier_.leaves());
  if (end->entries != frontier_.leaves()) {
    return fault(ErrorCode::kConflict, "the checkpoint is over " + std::to_string(end->entries) +
                                           " entries, and here are " + here +
                                           ": the others are missing or not signed");
  }
  if (earlier_ && earlier_->entries > end->entries) {
    return fault(ErrorCode::kConflict, "history was rewritten: the log once had " +
                                           std::to_string(earlier_->entries) +
                                           " entries and now has " + here);
  }
  if (end->root != frontier_.root()) {
    std::string where = "checkpoints from before can narrow it (--against)";
    if (earlier_) {
      where = std::string("it is ") + (earlier_agrees_ ? "not before" : "before") + " entry " +
              std::to_string(earlier_->entries) + ", by the earlier checkpoint";
    }
    return fault(ErrorCode::kConflict, kRootDiffers + where);
  }
  if (!earlier_agrees_) {
    return fault(ErrorCode::kConflict,
                 "history was rewritten: this log and the earlier checkpoint over " +
                     std::to_string(earlier_->entries) +
                     " entries are both signed by its key, and they differ");
  }
  end_ = *end;
  return Done{};
}

Result<Checkpoint> ExportVerifier::finish() const {
  if (failed_) return *failed_;
  if (!end_) {
    return Error{ErrorCode::kMalformed, "The export ends after line " + std::to_string(line_) +
                                            " without its checkpoint: the rest is missing."};
  }
  return *end_;
}

}  // namespace signet::audit
