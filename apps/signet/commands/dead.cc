#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

constexpr int kMaxRounds = 10'000;  // a thousand letters each: more than any store holds

struct DeadOptions {
  std::int64_t limit = 100, before = 0, number = 0;
  std::string recipient;
  bool all = false;
  std::shared_ptr<OperatorAddress> reached;
};

std::string text_of(JsonValue value) { return std::string(value.string().value_or("")); }
std::int64_t number_of(JsonValue value) { return value.integer().value_or(0); }

Status list(Context& context, const DeadOptions& options) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  std::string path =
      "/meshes/" + mesh.name + "/dead-letters?limit=" + std::to_string(options.limit);
  if (options.before > 0) path += "&before=" + std::to_string(options.before);
  SIGNET_TRY(const auto answer, api.get(path));
  Table table{"deadLetters",
              {{"number", "NUMBER"},
               {"from", "FROM", Show::kKey},
               {"to", "TO", Show::kKey},
               {"recipient", "RECIPIENT", Show::kKey},
               {"reason", "REASON"},
               {"createdAt", "SENT"},
               {"diedAt", "DIED"},
               {"messageId", "", Show::kNever}},
              {}};
  const JsonValue letters = answer.root()["deadLetters"];
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const JsonValue each = letters[i];
    table.rows.push_back({number_of(each["number"]), text_of(each["from"]), text_of(each["to"]),
                          text_of(each["recipient"]), text_of(each["reason"]),
                          text_of(each["createdAt"]), text_of(each["diedAt"]),
                          text_of(each["messageId"])});
  }
  context.out.list(table, "No dead letters in " + mesh.slug + ".", {{"mesh", mesh.slug}});
  return Done{};
}

struct Counts {
  std::int64_t requeued = 0, refused = 0, full = 0;
};

std::string body_for(const DeadOptions& options) {
  wire::JsonWriter body;
  body.object();
  if (options.all) {
    body.key("all").value(true);
  } else {
    body.key("number").value(options.number).key("recipient").value(options.recipient);
  }
  return body.end().take();
}

// Asks until nothing more can be done. A round that brought nothing back is the last.
Result<Counts> requeue_rounds(const OperatorApi& api, const std::string& path,
                              const std::string& body) {
  Counts counts;
  for (int round = 0; round < kMaxRounds; ++round) {
    SIGNET_TRY(const auto answer, api.post(path, body));
    const JsonValue root = answer.root();
    const std::int64_t requeued = number_of(root["requeued"]);
    counts.requeued += requeued;
    counts.refused = number_of(root["refused"]);
    counts.full = number_of(root["full"]);
    if (!root["more"].boolean().value_or(false) || requeued == 0) break;
  }
  return counts;
}

Status requeue(Context& context, const DeadOptions& options) {
  const bool is_one = options.number > 0 && !options.recipient.empty();
  if (is_one == options.all) {
    return usage_error("say which letter, by NUMBER and RECIPIENT, or --all",
                       "`signet dead list -o json` shows both.");
  }
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  const std::string path = "/meshes/" + mesh.name + "/dead-letters/requeue";
  SIGNET_TRY(const Counts counts, requeue_rounds(api, path, body_for(options)));
  std::string sentence = "Put back " + std::to_string(counts.requeued) + " letter(s).";
  if (counts.refused > 0) {
    sentence += " " + std::to_string(counts.refused) + " stay: their recipient is revoked.";
  }
  if (counts.full > 0) sentence += " " + std::to_string(counts.full) + " stay: no room.";
  context.out.done(sentence, {{"mesh", mesh.slug},
                              {"requeued", counts.requeued},
                              {"refused", counts.refused},
                              {"full", counts.full}});
  return Done{};
}

}  // namespace

void add_dead(CommandTree& tree) {
  CLI::App& noun =
      tree.noun("dead", "letters that could not be delivered, as the operator sees them");
  auto listed = std::make_shared<DeadOptions>();
  CLI::App& listing = tree.command(noun, "list", "the newest first",
                                   [listed](Context& context) { return list(context, *listed); });
  listing.add_option("--limit", listed->limit, "at most so many")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000}))
      ->capture_default_str();
  listing.add_option("--before", listed->before, "older than that number")
      ->type_name("NUMBER")
      ->check(CLI::PositiveNumber);
  listed->reached = add_operator_options(listing);

  auto again = std::make_shared<DeadOptions>();
  CLI::App& requeuing =
      tree.command(noun, "requeue", "deliver them once more",
                   [again](Context& context) { return requeue(context, *again); });
  requeuing.add_option("number", again->number, "the letter")->check(CLI::PositiveNumber);
  requeuing.add_option("recipient", again->recipient, "the key of its recipient");
  requeuing.add_flag("--all", again->all, "every letter of the mesh");
  again->reached = add_operator_options(requeuing);
}

}  // namespace signet::cli
