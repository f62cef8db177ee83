// What operators decide together: a proposal goes from hand to hand as a file, each signs it with
// her own key where she is, and anybody hands it in.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>

#include "client/broker_codes.h"
#include "client/http.h"
#include "client/identity_access.h"
#include "dialects/overlay_operators.h"
#include "dialects/overlay_revocations.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/profile/invite_link.h"
#include "signet/profile/proposal_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using membership::OperatorAction;
using membership::OperatorStatement;

constexpr std::size_t kFewestDigits = 8;  // of a key, by which a member can be named

// Where the mesh's broker answers peers, and how far it is trusted.
struct RevokeReach {
  std::string url;
};
struct ProposeOptions {
  std::string member, node, threshold, owner, add, remove, needed, rekey;
  bool deny_many = false;
  std::string expires = "1h";
  std::string file;
  RevokeReach reach;
  std::shared_ptr<OperatorAddress> operators;
};
struct SignOptions {
  std::string file, key_file;
  std::shared_ptr<OperatorAddress> operators;
};
struct ApplyOptions {
  std::string file;
  RevokeReach reach;
};
struct ListOptions {
  RevokeReach reach;
  std::string signer;
};

// The broker of --broker-url; else of the mesh that is joined, or owned, here.
Result<client::Url> broker_of(Context& context, const RevokeReach& reach, TlsTrust& trust) {
  trust = context.trust;
  std::string text = reach.url;
  if (text.empty()) {
    SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
    if (mesh.owned) text = mesh.owned->broker_url;
    SIGNET_TRY(const Profiles profiles, context.profiles());
    if (const Profile* profile = profiles.find(mesh.name)) {
      text = profile->broker_url;
      if (trust.ca_file.empty()) trust.ca_file = profile->ca_file;
      trust.allow_tls12 = trust.allow_tls12 || profile->allow_tls12;
    }
  }
  if (text.empty()) {
    return usage_error("where the mesh's broker is, is not known",
                       "Say --broker-url https://HOST:PORT.");
  }
  auto url = client::parse_url(text);
  if (url.ok()) return url;
  return usage_error(printable_line(text) + " is no address of a broker: " + url.error().detail,
                     "It looks like https://HOST:PORT.");
}

Result<client::HttpAnswer> ask_broker(Context& context, const RevokeReach& reach,
                                      std::string_view method, std::string_view path,
                                      std::string_view body, std::size_t most) {
  TlsTrust trust;
  SIGNET_TRY(client::Url url, broker_of(context, reach, trust));
  url.path = path;
  client::HttpOptions options;
  options.tls.ca_file = trust.ca_file;
  options.tls.allow_tls12 = trust.allow_tls12;
  options.max_answer = most;
  const Progress progress("asking the broker");
  auto answer = client::http_request(url, method, body, kAnswerTimeout, options);
  if (answer.ok()) return answer;
  const auto code = client::code_of_connection(answer.error().code, "unreachable");
  if (code != "unreachable") {
    return failure(answer.error().code, code, url.authority() + ": " + answer.error().detail);
  }
  return failure(answer.error().code, code,
                 url.authority() + " does not answer: " + answer.error().detail,
                 "Is the broker running, and is this where it listens?");
}

// `status` is of the answer that said so in place of a list of operators.
Error no_overlay(std::optional<int> status = std::nullopt) {
  const std::string where = status ? " (status " + std::to_string(*status) + ")" : "";
  return failure(ErrorCode::kNotFound, "no_overlay",
                 "the broker has no operators who sign together" + where,
                 "They are in its configuration: operators.keys, beside an overlay "
                 "(overlay.key_file).");
}

Result<dialects::OperatorsShown> ask_operators(Context& context, const RevokeReach& reach) {
  SIGNET_TRY(const auto answer,
             ask_broker(context, reach, "GET", "/v1/operators", "", dialects::kMaxOperatorsBody));
  constexpr int kGood = 200;
  if (answer.status != kGood) return no_overlay(answer.status);
  auto shown = dialects::read_operators(answer.body);
  if (!shown.ok()) {
    return failure(ErrorCode::kUnavailable, "no_broker",
                   "what answers there is no Signet broker of this version");
  }
  if (shown->operators.empty()) return no_overlay();
  return shown;
}

std::string json_text(wire::JsonValue value) { return std::string(value.string().value_or("")); }

// A key as a statement has it.
std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// A member as the operator's API has it; who is proven by a secret or a certificate has no key.
struct KnownMember {
  std::string id, key, name;
};

// The name last: its owner chose it, and may have made it look like the rest.
std::string shown_in_words(const KnownMember& member) {
  return member.id + " has " + (member.key.empty() ? "no key" : "the key " + member.key) +
         " and is called \"" + member.name + "\"";
}

// What the path of a call can have as it is.
bool is_path_word(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// The operator's API of the mesh with that id: as the options say, or as it was made here.
Result<OperatorApi> api_of_mesh(const Context& context, const OperatorAddress& address,
                                const std::string& mesh) {
  if (!is_path_word(mesh)) {
    return usage_error(printable_line(mesh) + " is no mesh that an operator's API can be asked of");
  }
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  const auto own = std::find_if(owned.begin(), owned.end(),
                                [&](const OwnedMesh& each) { return each.mesh_id == mesh; });
  return OperatorApi::open(context, address, own == owned.end() ? nullptr : &*own);
}

Status each_known_member(const OperatorApi& api, const std::string& mesh,
                         const std::function<void(const KnownMember&)>& visit) {
  const auto take = [&](const wire::JsonValue& page) {
    const wire::JsonValue members = page["members"];
    for (std::size_t i = 0; i < members.size(); ++i) {
      const wire::JsonValue each = members[i];
      visit({json_text(each["id"]), json_text(each["pubkey"]), json_text(each["displayName"])});
    }
  };
  for (const char* query : {"", "?keyless=true"}) {
    SIGNET_TRY([[maybe_unused]] const Done listed,
               api.each_page("/meshes/" + mesh + "/members" + query, take));
  }
  return Done{};
}

// Who has that id or key; else the one who is called so. A name is its owner's choice: whoever
// takes another's id for one is not meant by it.
Result<KnownMember> member_called(const OperatorApi& api, const std::string& mesh,
                                  const std::string& who) {
  const std::string key = in_lower_case(who);
  std::vector<KnownMember> exact, called;
  SIGNET_TRY([[maybe_unused]] const Done listed,
             each_known_member(api, mesh, [&](const KnownMember& each) {
               const bool is_start = who.size() >= kFewestDigits && each.key.starts_with(key);
               if (each.id == who || (!each.key.empty() && each.key == key)) {
                 exact.push_back(each);
               } else if (is_start || each.name == who) {
                 called.push_back(each);
               }
             }));
  const std::vector<KnownMember>& found = exact.empty() ? called : exact;
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return failure(ErrorCode::kNotFound, "no_such_member",
                   printable_line(mesh) + " has no member " + printable_line(who),
                   "`signet member list -o json` shows their ids.");
  }
  return failure(ErrorCode::kConflict, "ambiguous_name",
                 printable_line(who) + " is the name of several members of " + printable_line(mesh),
                 "Say the key or the id: signet member list -o json");
}

// Of the node's key, which is a member's.
Result<KnownMember> member_of_node(const OperatorApi& api, const std::string& mesh,
                                   const std::string& node) {
  if (!overlay::is_node_name(node)) {
    return usage_error(printable_line(node) + " is no name of a node");
  }
  auto shown = api.get("/meshes/" + mesh + "/nodes/" + node);
  const bool is_missing = !shown.ok() && shown.error().code == ErrorCode::kNotFound;
  if (!shown.ok() && !is_missing) return shown.error();
  const std::string key = is_missing ? "" : json_text(shown->root()["pubkey"]);
  if (!key.empty()) return member_called(api, mesh, key);
  return failure(ErrorCode::kNotFound, "no_such_node",
                 printable_line(mesh) + " has no node " + node + " with a key of its own",
                 "`signet node list` shows them.");
}

// The names of the denials that are held back now.
Result<std::vector<std::string>> held_denials(const OperatorApi& api, const std::string& mesh) {
  SIGNET_TRY(const auto shown, api.get("/meshes/" + mesh + "/epoch"));
  const wire::JsonValue held = shown.root()["held_denials"];
  std::vector<std::string> names;
  for (std::size_t i = 0; i < held.size(); ++i) names.push_back(json_text(held[i]));
  return names;
}

void note_not_shown(const Context& context, std::string_view what, const Error& why) {
  context.out.note(std::string(what) + " could not be shown: " + tell(why).message);
}

Status show_member(const Context& context, const Result<OperatorApi>& api,
                   const OperatorStatement& statement) {
  std::optional<KnownMember> found;
  const auto take = [&](const KnownMember& each) {
    if (each.id == statement.target) found = each;
  };
  const Status listed = api.ok() ? each_known_member(*api, statement.mesh, take) : api.error();
  if (!listed.ok()) {
    note_not_shown(context, "who the member is", listed.error());
    return Done{};
  }
  if (found) {
    context.out.note("  " + shown_in_words(*found));
    return Done{};
  }
  return failure(
      ErrorCode::kNotFound, "no_such_member",
      printable_line(statement.mesh) + " has no member " + printable_line(statement.target),
      "Propose it anew for somebody who is there: signet revoke propose.");
}

// `held`: the names that are known already.
Status show_denials(const Context& context, const Result<OperatorApi>& api,
                    const OperatorStatement& statement, std::vector<std::string> held) {
  constexpr std::string_view kWhat = "the names of the nodes";
  if (held.empty()) {
    auto names = api.ok() ? held_denials(*api, statement.mesh) : api.error();
    if (!names.ok()) {
      note_not_shown(context, kWhat, names.error());
      return Done{};
    }
    held = *std::move(names);
  }
  SIGNET_TRY([[maybe_unused]] const Done same, check_denials(statement, held));
  for (const std::string& name : held) context.out.note("  it denies " + name);
  return Done{};
}

// For whoever proposes or signs: whom a digest or an id means, out of the broker's own lists, or
// that it could not be learnt. `held`: names of denials, where they are known already. Fails
// kConflict (not_held), kNotFound (no_such_member) where the broker knows of no such thing.
Status show_target(const Context& context, const OperatorAddress& address,
                   const OperatorStatement& statement, const std::vector<std::string>& held) {
  const bool is_many = statement.action == OperatorAction::kDenyMany;
  if (!is_many && statement.action != OperatorAction::kRevoke) return Done{};
  const auto api = api_of_mesh(context, address, statement.mesh);
  return is_many ? show_denials(context, api, statement, held)
                 : show_member(context, api, statement);
}

// Two decimals at least, and no needless ones: one number has one spelling there.
std::string threshold_text(std::string text) {
  if (text == "0" || text == "1") text += ".";
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text;
  constexpr std::size_t kDecimals = 2;
  while (text.size() < point + 1 + kDecimals) text += '0';
  while (text.size() > point + 1 + kDecimals && text.back() == '0') text.pop_back();
  return text;
}

Result<std::pair<OperatorAction, std::string>> wanted_of(const Context& context,
                                                         const ProposeOptions& options,
                                                         const dialects::OperatorsShown& shown) {
  using Wanted = std::pair<OperatorAction, std::string>;
  std::vector<Wanted> wanted;
  const auto add = [&](OperatorAction action, const std::string& text, std::string target) {
    if (!text.empty()) wanted.emplace_back(action, std::move(target));
  };
  add(OperatorAction::kRevoke, options.member, options.member);
  add(OperatorAction::kRevoke, options.node, options.node);
  add(OperatorAction::kThreshold, options.threshold, threshold_text(options.threshold));
  add(OperatorAction::kPolicyOwner, options.owner, in_lower_case(options.owner));
  add(OperatorAction::kOperatorAdd, options.add, in_lower_case(options.add));
  add(OperatorAction::kOperatorRemove, options.remove, in_lower_case(options.remove));
  add(OperatorAction::kQuorum, options.needed, options.needed);
  add(OperatorAction::kRekey, options.rekey, options.rekey);
  if (options.deny_many) wanted.emplace_back(OperatorAction::kDenyMany, shown.held_digest);
  if (wanted.size() != 1) {
    return usage_error("say one thing that is to be decided",
                       "A member, or one of --node, --threshold, --deny-many, --owner, "
                       "--operator-add, --operator-remove, --needed and --rekey.");
  }
  Wanted only = std::move(wanted.front());
  if (options.deny_many && shown.held == 0) {
    return failure(ErrorCode::kConflict, "not_held", "no denials are held back now");
  }
  if (only.first != OperatorAction::kRevoke) return only;
  SIGNET_TRY(const OperatorApi api, api_of_mesh(context, *options.operators, shown.mesh));
  SIGNET_TRY(const KnownMember whom, options.node.empty()
                                         ? member_called(api, shown.mesh, options.member)
                                         : member_of_node(api, shown.mesh, options.node));
  only.second = whom.id;
  return only;
}

void show_proposal(Context& context, const Proposal& proposal) {
  const OperatorStatement& what = proposal.statement;
  std::vector<std::string> signers;
  for (const auto& each : proposal.signatures) signers.push_back(crypto::to_hex(each.signer));
  context.out.record({{"does", sentence_of(what), "does"},
                      {"mesh", what.mesh, "mesh"},
                      {"action", std::string(name_of(what.action)), "action"},
                      {"target", what.target, "target"},
                      {"serial", std::to_string(what.serial), "serial"},
                      {"policyVersion", std::to_string(what.policy_version), "policy"},
                      {"expires", iso8601(what.expires), "expires"},
                      {"signers", signers, "signed by"}});
}

Status propose(Context& context, const ProposeOptions& options) {
  const auto life = duration_from(options.expires);
  if (!life) {
    return usage_error("--expires " + printable_line(options.expires) + " is no time",
                       "It looks like 30m, 1h or 1d.");
  }
  SIGNET_TRY(const auto shown, ask_operators(context, options.reach));
  if (*life > std::chrono::milliseconds(shown.longest_life_ms)) {
    return usage_error("the broker takes no statement that holds for so long",
                       "Say a shorter --expires; operators.longest_life is its setting.");
  }
  SIGNET_TRY(auto wanted, wanted_of(context, options, shown));
  Proposal proposal;
  proposal.statement = {shown.mesh,       wanted.first,         wanted.second,
                        shown.serial + 1, shown.policy_version, system_clock().wall() + *life};
  if (!proposal.statement.is_well_formed()) {
    return usage_error(printable_line(wanted.second) + " is nothing that " +
                           std::string(name_of(wanted.first)) + " can be about",
                       "Keys have 64 hex digits, a threshold is 0.00 to 1.00, --rekey is "
                       "\"NODE KEY\".");
  }
  SIGNET_TRY([[maybe_unused]] const Done told,
             show_target(context, *options.operators, proposal.statement, shown.held_names));
  SIGNET_TRY([[maybe_unused]] const Done kept, create_proposal(options.file, proposal));
  if (context.out.is_for_people()) {
    context.out.note("Proposed in " + options.file + "; " + std::to_string(shown.needed) + " of " +
                     std::to_string(shown.operators.size()) +
                     " operators sign it: signet revoke sign " + options.file + " --key FILE");
  }
  show_proposal(context, proposal);
  return Done{};
}

Status sign(Context& context, const SignOptions& options) {
  SIGNET_TRY(Proposal proposal, load_proposal(options.file));
  SIGNET_TRY([[maybe_unused]] const Done good, check_proposal(proposal, system_clock().wall()));
  SIGNET_TRY(const Identity identity, Identity::from_file(options.key_file));
  if (context.out.is_for_people()) show_proposal(context, proposal);
  SIGNET_TRY([[maybe_unused]] const Done told,
             show_target(context, *options.operators, proposal.statement, {}));
  SIGNET_TRY(const bool sure,
             context.confirm(sentence_of(proposal.statement) + " Mesh " + proposal.statement.mesh +
                             ", serial " + std::to_string(proposal.statement.serial) +
                             ". Sign it as " + identity.public_key() + "?"));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was signed");
  // Somebody may have added a signature while the question stood there.
  SIGNET_TRY(Proposal newest, load_proposal(options.file));
  if (newest.statement != proposal.statement) {
    return failure(ErrorCode::kConflict, "proposal_changed",
                   "the file has another statement by now; nothing was signed");
  }
  SIGNET_TRY([[maybe_unused]] const Done added,
             sign_proposal(newest, IdentityAccess::key(identity), system_clock().wall()));
  SIGNET_TRY([[maybe_unused]] const Done kept, keep_proposal(options.file, newest));
  context.out.done("Signed as " + identity.public_key() + "; it has " +
                       std::to_string(newest.signatures.size()) + " signature(s) now.",
                   {{"file", options.file},
                    {"signer", identity.public_key()},
                    {"signatures", static_cast<std::int64_t>(newest.signatures.size())}});
  return Done{};
}

// A refusal of the broker has a code and a sentence of its own.
Error refusal_by_broker(const client::HttpAnswer& answer) {
  wire::JsonDocument document;
  if (!document.parse(answer.body).ok()) {
    return failure(
        ErrorCode::kUnavailable, "no_broker",
        "what answers there is no Signet broker (status " + std::to_string(answer.status) + ")");
  }
  const std::string code = json_text(document.root()["code"]);
  const std::string detail = printable_line(json_text(document.root()["detail"]));
  const bool is_word = !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  const std::string_view shown = is_word ? std::string_view(code) : "refused";
  const auto told = [&](ErrorCode category) {
    return failure(category, shown, "the broker did not carry it out: " + detail);
  };
  switch (answer.status) {
    case 403:
      return told(ErrorCode::kForbidden);
    case 404:
      return told(ErrorCode::kNotFound);
    case 409:
      return told(ErrorCode::kConflict);
    case 429:
      return told(ErrorCode::kOverloaded);
    case 503:
      return told(ErrorCode::kUnavailable);
    default:
      return told(ErrorCode::kMalformed);
  }
}

Status apply(Context& context, const ApplyOptions& options) {
  SIGNET_TRY(const Proposal proposal, load_proposal(options.file));
  SIGNET_TRY([[maybe_unused]] const Done good, check_proposal(proposal, system_clock().wall()));
  const std::string sentence = sentence_of(proposal.statement);
  SIGNET_TRY(const bool sure, context.confirm(sentence + " Hand it in?"));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY(const auto answer, ask_broker(context, options.reach, "POST", "/v1/revoke",
                                           write_proposal(proposal), client::kMaxAnswerBytes));
  constexpr int kDone = 200;
  if (answer.status != kDone) return refusal_by_broker(answer);
  context.out.done("Done: " + sentence,
                   {{"action", std::string(name_of(proposal.statement.action))},
                    {"target", proposal.statement.target},
                    {"serial", std::to_string(proposal.statement.serial)}});
  return Done{};
}

// The list says whom the operators revoked; its signature, that this server said so.
Status list_revoked(Context& context, const ListOptions& options) {
  SIGNET_TRY(const auto answer, ask_broker(context, options.reach, "GET", "/v1/revocations", "",
                                           dialects::kMaxRevocationsBytes));
  constexpr int kGood = 200;
  if (answer.status != kGood) return no_overlay(answer.status);
  const auto list = dialects::read_revocations(answer.body);
  if (!list.ok() || !dialects::verifies(*list)) {
    return failure(ErrorCode::kForbidden, "bad_list",
                   "the broker's list of revocations is not one that it signed",
                   "Somebody changed it on its way: reach the broker by TLS.");
  }
  const std::string signer = crypto::to_hex(list->signer);
  if (!options.signer.empty() && in_lower_case(options.signer) != signer) {
    return failure(
        ErrorCode::kForbidden, "wrong_signer",
        "the list was signed by " + signer + " and not by " + printable_line(options.signer));
  }
  Table table{"revocations",
              {{"member", "MEMBER"},
               {"serial", "SERIAL"},
               {"wireguard", "WIREGUARD"},
               {"signers", "SIGNED BY", Show::kNever}},
              {}};
  for (const dialects::Revocation& each : list->entries) {
    const auto statement = OperatorStatement::of(each.statement);
    std::vector<std::string> signers;
    for (const auto& one : each.signatures) signers.push_back(crypto::to_hex(one.signer));
    table.rows.push_back({statement->target, std::to_string(statement->serial),
                          each.wireguard ? Value(to_base64(*each.wireguard)) : Value(), signers});
  }
  context.out.list(
      table, "The operators revoked nobody in " + list->mesh + ".",
      {{"mesh", list->mesh}, {"serial", std::to_string(list->serial)}, {"signer", signer}});
  return Done{};
}

void add_reach(CLI::App& command, RevokeReach& reach) {
  command
      .add_option("--broker-url", reach.url,
                  "where the mesh's broker answers, as https://HOST:PORT (the joined mesh's)")
      ->type_name("URL");
}

void add_propose(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<ProposeOptions>();
  CLI::App& command =
      tree.command(noun, "propose", "write down what operators are to decide together",
                   [options](Context& context) { return propose(context, *options); });
  command.add_option("member", options->member, "whom to revoke: an id, a name, or a key")
      ->type_name("MEMBER");
  command.add_option("--node", options->node, "the node whose member to revoke")->type_name("NAME");
  command.add_option("--threshold", options->threshold, "the score that a node is to need")
      ->type_name("SCORE");
  command.add_flag("--deny-many", options->deny_many,
                   "let the denials happen that are held back because they are so many");
  command.add_option("--owner", options->owner, "the new owner of the mesh")->type_name("KEY");
  command.add_option("--operator-add", options->add, "who becomes an operator")->type_name("KEY");
  command.add_option("--operator-remove", options->remove, "who is none any more")
      ->type_name("KEY");
  command.add_option("--needed", options->needed, "how many operators have to sign from then on")
      ->type_name("M");
  command.add_option("--rekey", options->rekey, "a node and its new key: \"NODE KEY\"")
      ->type_name("TEXT");
  command.add_option("--expires", options->expires, "for how long it may be carried out")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--out", options->file, "where to write it")->type_name("FILE")->required();
  add_reach(command, options->reach);
  options->operators = add_operator_options(command);
  add_examples(command, {"signet revoke propose eve --out eve.proposal",
                         "signet revoke propose --threshold 0.80 --expires 4h --out t.proposal"});
}

void add_sign(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<SignOptions>();
  CLI::App& command =
      tree.command(noun, "sign", "show a proposal in words, and sign it as an operator",
                   [options](Context& context) { return sign(context, *options); });
  command.add_option("file", options->file, "the proposal; the signature is added to it")
      ->type_name("FILE")
      ->required();
  command.add_option("--key", options->key_file, "the operator's key, as `signet keygen` made it")
      ->type_name("FILE")
      ->required();
  options->operators = add_operator_options(command);
  add_examples(command, {"signet revoke sign eve.proposal --key olga.key"});
}

}  // namespace

void add_revoke_together(CommandTree& tree) {
  CLI::App& noun =
      tree.noun("revoke", "what several operators decide together, each with her own key");
  add_propose(tree, noun);
  add_sign(tree, noun);
  auto applied = std::make_shared<ApplyOptions>();
  CLI::App& applying =
      tree.command(noun, "apply", "hand in a proposal that enough operators signed",
                   [applied](Context& context) { return apply(context, *applied); });
  applying.add_option("file", applied->file, "the proposal")->type_name("FILE")->required();
  add_reach(applying, applied->reach);
  add_examples(applying, {"signet revoke apply eve.proposal --yes"});

  auto listed = std::make_shared<ListOptions>();
  CLI::App& listing =
      tree.command(noun, "list", "whom operators revoked together, as the broker signed it",
                   [listed](Context& context) { return list_revoked(context, *listed); });
  listing
      .add_option("--signer", listed->signer,
                  "the key that must have signed the list, the one that signs the broker's log "
                  "(any)")
      ->type_name("KEY");
  add_reach(listing, listed->reach);
  add_examples(listing, {"signet revoke list -o json"});
}

}  // namespace signet::cli
