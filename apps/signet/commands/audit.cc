#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "audit/export.h"
#include "audit/proof.h"
#include "signet/commands/audit_files.h"
#include "signet/commands/audit_log.h"
#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"

namespace signet::cli {
namespace {

using Reached = std::shared_ptr<OperatorAddress>;

Result<AuditLog> open_log(Context& context, const Reached& reached) {
  SIGNET_TRY(OperatorApi api, OperatorApi::open(context, *reached));
  return AuditLog(std::move(api));
}

// A checkpoint of this very log.
Result<audit::Checkpoint> checked_note(const audit::Verifier& key, const std::string& note) {
  const auto checkpoint = audit::open_checkpoint(note, key.key);
  if (checkpoint.ok() && checkpoint->origin == key.origin) return *checkpoint;
  return log_broken(
      {ErrorCode::kUnauthorized, "The broker shows a checkpoint that the log's key did not sign."});
}

// --- tail

struct TailOptions {
  std::size_t count = 20;
  bool follow = false;
  Reached reached;
};

constexpr std::chrono::milliseconds kFollowEvery{1'000};
constexpr std::chrono::milliseconds kLook{100};  // how late an interrupt may be seen
constexpr std::size_t kSubjectDigits = 12;       // enough to tell people apart on a screen

std::string hash_text(const audit::Draft& what) { return what.hash ? to_hex(*what.hash) : ""; }

Value text_or_null(std::string text) { return text.empty() ? Value() : Value(std::move(text)); }

std::vector<Column> entry_columns() {
  return {{"n", "N"},       {"at", "AT"},           {"event", "EVENT"},
          {"mesh", "MESH"}, {"subject", "SUBJECT"}, {"code", "CODE"},
          {"by", "BY"},     {"hash", "HASH"},       {"count", "COUNT"}};
}

std::vector<Value> entry_row(const audit::Entry& entry) {
  const audit::Draft& what = entry.what;
  return {static_cast<std::int64_t>(entry.number),
          iso8601(entry.at),
          std::string(audit::name_of(what.event)),
          what.mesh.value > 0 ? Value(what.mesh.value) : Value(),
          text_or_null(what.subject),
          text_or_null(what.code),
          text_or_null(what.by),
          text_or_null(hash_text(what)),
          what.count};
}

Fields entry_fields(const audit::Entry& entry) {
  const std::vector<Column> columns = entry_columns();
  std::vector<Value> row = entry_row(entry);
  Fields fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    fields.push_back({columns[i].key, std::move(row[i])});
  }
  return fields;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// Refusals and ends are what somebody looks for; admissions are what passes by.
std::string_view colour_of(audit::Event event) {
  switch (event) {
    case audit::Event::kRefused:
      return "\033[31m";
    case audit::Event::kEnded:
    case audit::Event::kSuppressed:
    case audit::Event::kVerdictChanged:
      return "\033[33m";
    case audit::Event::kAdmitted:
      return "\033[32m";
    default:
      return "\033[36m";
  }
}

// Nothing in an entry can be more than a word, so it is printed as it is.
std::string entry_text(const audit::Entry& entry, const Output& out) {
  const audit::Draft& what = entry.what;
  const std::string mesh = what.mesh.value > 0 ? std::to_string(what.mesh.value) : "";
  std::string text = padded(std::to_string(entry.number), 8) + iso8601(entry.at) + "  ";
  text += out.paint(colour_of(what.event), padded(std::string(audit::name_of(what.event)), 19));
  text += "  " + padded(mesh, 4) + "  " + padded(what.subject.substr(0, kSubjectDigits), 12);
  text += "  " + padded(what.code, 22) + "  " + padded(what.by, 13);
  if (what.count > 1) text += "  x" + std::to_string(what.count);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

void show_head(Output& out) {
  const std::string head = padded("N", 8) + padded("AT", 26) + padded("EVENT", 21) +
                           padded("MESH", 6) + padded("SUBJECT", 14) + padded("CODE", 24) +
                           padded("BY", 15) + "COUNT";
  out.item(out.paint("\033[1m", head), {});
}

Status follow(Context& context, const AuditLog& log, std::uint64_t next) {
  while (!is_interrupted() && context.out.is_delivered()) {
    SIGNET_TRY(const auto lines, log.entries(next, AuditLog::kPage));
    for (const AuditLog::Line& line : lines) {
      context.out.item(entry_text(line.entry, context.out), entry_fields(line.entry));
      next = line.entry.number + 1;
    }
    for (auto left = kFollowEvery; lines.empty() && left.count() > 0 && !is_interrupted();
         left -= kLook) {
      std::this_thread::sleep_for(kLook);
    }
  }
  return Done{};
}

Status tail(Context& context, const TailOptions& options) {
  SIGNET_TRY(const AuditLog log, open_log(context, options.reached));
  if (options.follow) catch_interrupts();
  SIGNET_TRY(const auto lines, log.entries(std::nullopt, options.count));
  if (!options.follow && !context.out.is_for_people()) {
    Table table{"entries", entry_columns(), {}};
    for (const AuditLog::Line& line : lines) table.rows.push_back(entry_row(line.entry));
    context.out.list(table, "");
    return Done{};
  }
  if (context.out.is_for_people()) show_head(context.out);
  for (const AuditLog::Line& line : lines) {
    context.out.item(entry_text(line.entry, context.out), entry_fields(line.entry));
  }
  if (!options.follow) return Done{};
  return follow(context, log, lines.empty() ? 0 : lines.back().entry.number + 1);
}

// --- export

struct ExportOptions {
  std::string file;
  Reached reached;
};

// A line on a terminal about how far it is.
class Counter {
 public:
  explicit Counter(std::uint64_t all) : all_(all), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Counter() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  void show(std::uint64_t done) const {
    if (!shown_) return;
    const std::string text =
        "\r\033[Kexported " + std::to_string(done) + " of " + std::to_string(all_) + " entries";
    std::fputs(text.c_str(), stderr);
  }

 private:
  std::uint64_t all_;
  bool shown_;
};

// What was shown is checked as it comes, so that no export is kept that fails its check.
Status write_export(const AuditLog& log, const std::function<Status(std::string_view)>& write,
                    audit::Checkpoint& covered) {
  SIGNET_TRY(const audit::Verifier key, log.key());
  SIGNET_TRY(const std::string note, log.note());
  SIGNET_TRY(covered, checked_note(key, note));
  audit::ExportVerifier verifier({key, {}});
  const auto add = [&](const std::string& line) -> Status {
    if (const Status added = verifier.add(line); !added.ok()) return log_broken(added.error());
    return write(line + "\n");
  };
  SIGNET_TRY([[maybe_unused]] const Done begun, add(audit::export_head(key)));
  const Counter counter(covered.entries);
  for (std::uint64_t next = 0; next < covered.entries;) {
    const std::size_t limit =
        static_cast<std::size_t>(std::min<std::uint64_t>(AuditLog::kPage, covered.entries - next));
    SIGNET_TRY(const auto lines, log.entries(next, limit));
    if (lines.empty()) {
      return log_broken({ErrorCode::kConflict,
                         "The broker shows fewer entries than it signed: " + std::to_string(next) +
                             " of " + std::to_string(covered.entries) + "."});
    }
    for (const AuditLog::Line& line : lines) {
      SIGNET_TRY([[maybe_unused]] const Done added, add(line.text));
    }
    next += lines.size();
    counter.show(next);
  }
  return add(audit::export_end(note));
}

Status export_log(Context& context, const ExportOptions& options) {
  SIGNET_TRY(const AuditLog log, open_log(context, options.reached));
  audit::Checkpoint covered;
  if (options.file.empty()) {
    return write_export(
        log,
        [&context](std::string_view text) -> Status {
          context.out.text(text);
          return Done{};
        },
        covered);
  }
  SIGNET_TRY(GrowingFile file, GrowingFile::create(options.file));
  SIGNET_TRY([[maybe_unused]] const Done written,
             write_export(
                 log, [&file](std::string_view text) { return file.append(text); }, covered));
  SIGNET_TRY([[maybe_unused]] const Done kept, file.keep());
  context.out.done("Exported " + std::to_string(covered.entries) + " entries to " + options.file +
                       ", with the checkpoint over them.",
                   {{"file", options.file},
                    {"log", covered.origin},
                    {"entries", static_cast<std::int64_t>(covered.entries)},
                    {"root", to_base64(covered.root)}});
  return Done{};
}

// --- prove

struct ProveOptions {
  std::uint64_t entry = 0;
  Reached reached;
};

Status prove(Context& context, const ProveOptions& options) {
  SIGNET_TRY(const AuditLog log, open_log(context, options.reached));
  SIGNET_TRY(const audit::Verifier key, log.key());
  SIGNET_TRY(const std::string note, log.note());
  SIGNET_TRY(const audit::Checkpoint checkpoint, checked_note(key, note));
  if (options.entry >= checkpoint.entries) {
    return failure(ErrorCode::kNotFound, "not_found",
                   "the log has no entry " + std::to_string(options.entry) + ", only the first " +
                       std::to_string(checkpoint.entries));
  }
  SIGNET_TRY(const auto lines, log.entries(options.entry, 1));
  if (lines.empty() || lines.front().entry.number != options.entry) {
    return log_broken({ErrorCode::kConflict, "The broker does not show an entry that it signed."});
  }
  SIGNET_TRY(const auto path, log.inclusion(options.entry, checkpoint.entries));
  const std::string proof = encode(audit::EntryProof{key, lines.front().text, path, note});
  const auto proven = audit::check_proof(proof, key);
  if (!proven.ok()) return log_broken(proven.error());
  context.out.text(proof + "\n");
  return Done{};
}

}  // namespace

void add_audit_reading(CommandTree& tree, CLI::App& noun) {
  auto tailed = std::make_shared<TailOptions>();
  CLI::App& tailing = tree.command(noun, "tail", "the newest entries of the broker's log",
                                   [tailed](Context& context) { return tail(context, *tailed); });
  tailing.add_option("-n,--lines", tailed->count, "how many")
      ->check(CLI::Range(std::size_t{1}, AuditLog::kPage))
      ->capture_default_str();
  tailing.add_flag("-f,--follow", tailed->follow, "and those that come, until Ctrl-C");
  tailed->reached = add_operator_options(tailing);
  add_examples(tailing, {"signet audit tail -n 50", "signet -o jsonl audit tail --follow"});

  auto exported = std::make_shared<ExportOptions>();
  CLI::App& exporting =
      tree.command(noun, "export", "the whole log with its signed head, checked on the way",
                   [exported](Context& context) { return export_log(context, *exported); });
  exporting.add_option("--out", exported->file, "where to (standard output)")->type_name("FILE");
  exported->reached = add_operator_options(exporting);
  add_examples(exporting, {"signet audit export --out log.jsonl"});

  auto proven = std::make_shared<ProveOptions>();
  CLI::App& proving =
      tree.command(noun, "prove", "a proof that an entry is in the log, for `audit verify --proof`",
                   [proven](Context& context) { return prove(context, *proven); });
  proving.add_option("entry", proven->entry, "its number")->required();
  proven->reached = add_operator_options(proving);
  add_examples(proving, {"signet audit prove 1207 > proof.json"});
}

}  // namespace signet::cli
