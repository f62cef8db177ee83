// Checks of the log that believe nobody: of an export or a proof, offline, and of a log that must
// only have grown since the last look.
#include "audit/export.h"
#include "audit/proof.h"
#include "signet/commands/audit_files.h"
#include "signet/commands/audit_log.h"
#include "signet/commands/commands.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMostSmallFile = 1 << 20;  // a note or a proof, with room for many witnesses

// --key: the text of a verifier key. nullopt where it was not given.
Result<std::optional<audit::Verifier>> key_of(const std::string& text) {
  if (text.empty()) return std::optional<audit::Verifier>();
  const auto key = audit::parse_verifier_key(text);
  if (key.ok()) return std::optional(*key);
  return usage_error("--key " + printable_line(text) + " is no verifier key",
                     "It looks like NAME+HASH+BASE64, as `signet audit witness` or the operator's "
                     "API show it.");
}

// --- verify

struct VerifyOptions {
  std::string file, proof, key, against;
};

// What is expected of an export: what a witness kept says the key, too.
Result<audit::Expected> expected_by(const VerifyOptions& options) {
  audit::Expected expected;
  SIGNET_TRY(expected.key, key_of(options.key));
  if (options.against.empty()) return expected;
  SIGNET_TRY(expected.earlier_note, whole_file(options.against, kMostSmallFile));
  const std::string first = expected.earlier_note.substr(0, expected.earlier_note.find('\n'));
  if (!audit::parse_verifier_key(first).ok()) return expected;  // a note alone
  const auto kept = audit::parse_kept(expected.earlier_note);
  if (!kept.ok()) return log_broken({kept.error().code, "--against: " + kept.error().detail});
  if (expected.key && *expected.key != kept->key) {
    return usage_error("--key and the file of --against are of two logs");
  }
  expected.key = kept->key;
  expected.earlier_note = kept->note;
  return expected;
}

void warn_of_own_key(const Output& out, const audit::Verifier& key) {
  out.note(
      "NOT CHECKED AGAINST A KNOWN KEY: this shows only that the file agrees with itself. "
      "Whoever wrote it could have made its key, too.");
  out.note("If you know from elsewhere that the log's key is this one, it is as good as --key: " +
           audit::verifier_key(key.origin, key.key));
}

Value time_or_null(const std::optional<WallTime>& time) {
  return time ? Value(iso8601(*time)) : Value();
}

Status verify_export(Context& context, const VerifyOptions& options) {
  SIGNET_TRY(audit::Expected expected, expected_by(options));
  const bool is_known = expected.key.has_value();
  const bool is_against = !expected.earlier_note.empty();
  audit::ExportVerifier verifier(std::move(expected));
  SIGNET_TRY([[maybe_unused]] const Done read,
             each_line(options.file, audit::kMostExportLineBytes,
                       [&verifier](std::string_view line) -> Status {
                         const Status added = verifier.add(line);
                         return added.ok() ? added : Status(log_broken(added.error()));
                       }));
  const auto checkpoint = verifier.finish();
  if (!checkpoint.ok()) return log_broken(checkpoint.error());
  const audit::ExportFacts& facts = verifier.facts();
  if (!is_known) warn_of_own_key(context.out, *facts.key);
  if (facts.steps_back > 0 && context.out.is_for_people()) {
    context.out.note("The time goes back " + std::to_string(facts.steps_back) +
                     " times: clocks were set, which is no fault of the log.");
  }
  context.out.record(
      {{"log", checkpoint->origin, "log"},
       {"entries", static_cast<std::int64_t>(checkpoint->entries), "entries"},
       {"root", to_base64(checkpoint->root), "root"},
       {"first", time_or_null(facts.first), "first"},
       {"last", time_or_null(facts.last), "last"},
       {"timesBack", static_cast<std::int64_t>(facts.steps_back)},
       {"keyKnown", is_known},
       {"against", is_against},
       {"verdict", std::string(is_against ? "intact, and goes on from --against" : "intact"),
        "verdict"}});
  return Done{};
}

Status verify_proof(Context& context, const VerifyOptions& options) {
  SIGNET_TRY(const audit::Expected expected, expected_by(options));
  SIGNET_TRY(std::string text, whole_file(options.proof, kMostSmallFile));
  if (text.ends_with('\n')) text.pop_back();
  const auto proven = audit::check_proof(text, expected.key);
  if (!proven.ok()) return log_broken(proven.error());
  if (!expected.key) warn_of_own_key(context.out, proven->key);
  context.out.record({{"log", proven->checkpoint.origin, "log"},
                      {"entries", static_cast<std::int64_t>(proven->checkpoint.entries), "entries"},
                      {"root", to_base64(proven->checkpoint.root), "root"},
                      {"keyKnown", expected.key.has_value()},
                      {"entry", Json{proven->line}, "entry"},
                      {"verdict", std::string("the entry is in the log"), "verdict"}});
  return Done{};
}

Status verify(Context& context, const VerifyOptions& options) {
  if (options.file.empty() == options.proof.empty()) {
    return usage_error("name an export, or a proof by --proof",
                       "How it is used: signet audit verify --help");
  }
  return options.proof.empty() ? verify_export(context, options) : verify_proof(context, options);
}

// --- witness

struct WitnessOptions {
  std::string state, key;
  std::shared_ptr<OperatorAddress> reached;
};

// What was kept; nullopt at the first look.
Result<std::optional<audit::KeptCheckpoint>> kept_in(const std::string& path) {
  const auto text = read_private_file(path);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
    return std::optional<audit::KeptCheckpoint>();
  }
  if (!text.ok()) return text.error();
  const auto kept = audit::parse_kept(*text);
  if (!kept.ok()) return log_broken({kept.error().code, path + ": " + kept.error().detail});
  return std::optional(*kept);
}

// The consistency proof between what was kept and what is shown now; none for what can't have one.
Result<std::vector<crypto::MerkleHash>> growth_of(const AuditLog& log,
                                                  const audit::KeptCheckpoint& kept,
                                                  const std::string& note) {
  const auto old = audit::open_checkpoint(kept.note, kept.key.key);
  const auto now = audit::open_checkpoint(note, kept.key.key);
  const bool has_grown = old.ok() && now.ok() && old->entries < now->entries;
  if (!has_grown || old->entries == 0) return std::vector<crypto::MerkleHash>();
  return log.consistency(old->entries, now->entries);
}

Status witness(Context& context, const WitnessOptions& options) {
  const std::string path =
      options.state.empty() ? context.paths.state_folder + "/audit.witness" : options.state;
  SIGNET_TRY(const auto expected, key_of(options.key));
  SIGNET_TRY(auto kept, kept_in(path));
  if (expected && kept && *expected != kept->key) {
    return usage_error("--key is of another log than what " + path + " keeps");
  }
  SIGNET_TRY(OperatorApi api, OperatorApi::open(context, *options.reached));
  const AuditLog log(std::move(api));
  SIGNET_TRY(const std::string note, log.note());
  const bool is_first = !kept;
  if (is_first) {
    audit::KeptCheckpoint begun{{}, note};
    if (expected) {
      begun.key = *expected;
    } else {
      SIGNET_TRY(begun.key, log.key());
    }
    kept = begun;
  }
  SIGNET_TRY(const auto proof, growth_of(log, *kept, note));
  const auto grown = audit::check_growth(*kept, note, proof);
  if (!grown.ok()) return log_broken(grown.error());
  const auto before = audit::open_checkpoint(kept->note, kept->key.key);
  const std::uint64_t added = is_first || !before.ok() ? 0 : grown->entries - before->entries;
  kept->note = note;
  if (options.state.empty()) {
    SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.state_folder));
  }
  SIGNET_TRY([[maybe_unused]] const Done written, write_private_file(path, encode(*kept)));
  const std::string entries = std::to_string(grown->entries);
  context.out.done(is_first ? "From now on " + path + " watches the log of " + entries +
                                  " entries whose key is " +
                                  audit::verifier_key(kept->key.origin, kept->key.key) + "."
                            : "Intact: the log has " + entries + " entries, " +
                                  std::to_string(added) + " more than at the last look.",
                   {{"log", grown->origin},
                    {"entries", static_cast<std::int64_t>(grown->entries)},
                    {"added", static_cast<std::int64_t>(added)},
                    {"first", is_first},
                    {"root", to_base64(grown->root)},
                    {"key", audit::verifier_key(kept->key.origin, kept->key.key)},
                    {"state", path}});
  return Done{};
}

void add_audit_checks(CommandTree& tree, CLI::App& noun) {
  auto verified = std::make_shared<VerifyOptions>();
  CLI::App& verifying =
      tree.command(noun, "verify", "is this export whole and unchanged? Asks nobody",
                   [verified](Context& context) { return verify(context, *verified); });
  verifying.add_option("file", verified->file, "an export (- for standard input)")
      ->type_name("FILE");
  verifying
      .add_option("--proof", verified->proof, "a proof of `audit prove`, in place of an export")
      ->type_name("FILE");
  verifying
      .add_option("--key", verified->key,
                  "the log's verifier key, known from elsewhere (the file's own)")
      ->type_name("VERIFIER");
  verifying
      .add_option("--against", verified->against,
                  "an earlier checkpoint, or what `audit witness` keeps: it must go on from there")
      ->type_name("FILE");
  add_examples(verifying, {"signet audit verify log.jsonl --against audit.witness",
                           "signet audit verify --proof proof.json --key \"$VERIFIER\""});

  auto watched = std::make_shared<WitnessOptions>();
  CLI::App& watching = tree.command(
      noun, "witness", "has the log only grown since the last look? For a cron job elsewhere",
      [watched](Context& context) { return witness(context, *watched); });
  watching
      .add_option("--state", watched->state,
                  "what was seen last, made at the first look (audit.witness in the state folder)")
      ->type_name("FILE");
  watching
      .add_option("--key", watched->key, "the log's verifier key (at the first look, the broker's)")
      ->type_name("VERIFIER");
  watched->reached = add_operator_options(watching);
  add_examples(watching, {"signet audit witness --state /var/lib/witness/broker-1"});
}

}  // namespace

void add_audit(CommandTree& tree) {
  CLI::App& noun = tree.noun("audit", "the log of what can't be taken back, and its checks");
  add_audit_reading(tree, noun);
  add_audit_checks(tree, noun);
}

}  // namespace signet::cli
