#include <algorithm>

#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"
#include "signet/terminal/words.h"

namespace signet::cli {
namespace {

std::vector<Column> columns() {
  return {{"name", "NAME"},         {"key", "KEY", Show::kKey}, {"status", "STATUS"},
          {"summary", "SUMMARY"},   {"pinned", "KEY IS"},       {"here", "", Show::kNever},
          {"me", "", Show::kNever}, {"role", "", Show::kNever}, {"sessionId", "", Show::kNever},
          {"connectedAt", "SINCE"}};
}

// What this side knows of the key under that name.
std::string trust_of(const std::vector<Pin>& pins, const std::string& name,
                     const std::string& key) {
  for (const Pin& pin : pins) {
    if (pin.name != name) continue;
    if (pin.key != key) return "CHANGED";
    return pin.verified ? "verified" : "known";
  }
  return "new";
}

std::vector<Value> session_row(const Peer& peer, const std::vector<Pin>& pins) {
  return {peer.is_me ? peer.name + " (you)" : peer.name,
          peer.key,
          std::string(word_of(peer.activity)),
          peer.summary,
          peer.is_me ? "yours" : trust_of(pins, peer.name, peer.key),
          true,
          peer.is_me,
          Value(),
          peer.session_id,
          peer.connected_at};
}

std::vector<Value> away_row(const Member& member, const std::vector<Pin>& pins) {
  return {member.name,
          member.key,
          std::string("away"),
          Value(),
          trust_of(pins, member.name, member.key),
          false,
          false,
          member.role,
          Value(),
          Value()};
}

Status list(Context& context, bool all) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY(const std::vector<Peer> peers, client->peers(kAnswerTimeout));
  SIGNET_TRY(const std::vector<Pin> pins, client->pins());
  Table table{"peers", columns(), {}};
  for (const Peer& peer : peers) {
    auto row = session_row(peer, pins);
    if (!context.out.is_for_people()) row.front() = peer.name;
    table.rows.push_back(std::move(row));
  }
  if (all) {
    SIGNET_TRY(const std::vector<Member> members, client->members("*", kAnswerTimeout));
    for (const Member& member : members) {
      const bool is_here = std::any_of(peers.begin(), peers.end(),
                                       [&](const Peer& each) { return each.key == member.key; });
      if (!is_here) table.rows.push_back(away_row(member, pins));
    }
  }
  context.out.list(table, "Nobody is here.", {{"mesh", profile.slug}});
  return Done{};
}

std::string digits_of(std::string_view number) {
  std::string digits;
  for (const char c : number) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits;
}

// A name to keep the pin under: what was said where that is one, else the name the mesh shows.
Result<std::string> name_of(Client& client, const std::string& who, const std::string& key) {
  SIGNET_TRY(const std::vector<Pin> pins, client.pins());
  for (const Pin& pin : pins) {
    if (pin.key == key) return pin.name;
  }
  SIGNET_TRY(const std::vector<Member> members, client.members("*", kAnswerTimeout));
  for (const Member& member : members) {
    if (member.key == key && !member.name.empty()) return member.name;
  }
  return who;
}

struct VerifyOptions {
  std::string who, number;
};

Status verify(Context& context, const VerifyOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  const auto found = client->find(options.who, kAnswerTimeout);
  if (!found.ok()) return about_peer(found.error(), options.who);
  const std::string& key = *found;
  SIGNET_TRY(const std::string number, client->safety_number(key));
  SIGNET_TRY(const std::string name, name_of(*client, options.who, key));
  const bool is_same = !options.number.empty() && digits_of(options.number) == digits_of(number);
  if (!options.number.empty() && !is_same) {
    return failure(
        ErrorCode::kConflict, "number_differs",
        "that is not the safety number of " + name + ": one of you talks to somebody else",
        "Compare again over a way that you trust. Until then, believe neither key.");
  }
  if (is_same) {
    SIGNET_TRY([[maybe_unused]] const Done trusted, client->trust(name, key, true));
  }
  context.out.done(
      is_same ? printable_line(name) + " is verified: this is their key."
              : "The safety number of you and " + printable_line(name) + " is\n\n    " + number +
                    "\n\nAsk them for theirs, over the phone or face to face, and give "
                    "what they say:\n  signet peers verify " +
                    printable_line(options.who) + " --number 'THEIR NUMBER'",
      {{"name", name}, {"key", key}, {"safetyNumber", number}, {"verified", is_same}});
  return Done{};
}

// The one key that the mesh shows under a name now, whatever is pinned.
Result<std::string> shown_key(Client& client, const std::string& who) {
  SIGNET_TRY(const std::vector<Member> members, client.members("*", kAnswerTimeout));
  std::string key;
  for (const Member& member : members) {
    if (member.name != who && member.key != who) continue;
    if (!key.empty() && key != member.key) {
      return failure(ErrorCode::kConflict, "ambiguous_name", "several members are called " + who,
                     "Say which key is theirs: --key KEY.");
    }
    key = member.key;
  }
  if (!key.empty()) return key;
  return failure(ErrorCode::kNotFound, "no_such_member", "nobody is called " + who);
}

Status trust(Context& context, const std::string& who, std::string key) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  if (key.empty()) {
    SIGNET_TRY(key, shown_key(*client, who));
  }
  SIGNET_TRY(const std::string number, client->safety_number(key));
  SIGNET_TRY(const std::vector<Pin> pins, client->pins());
  std::string before;
  for (const Pin& pin : pins) {
    if (pin.name == who) before = pin.key;
  }
  const std::string question = "From now on " + who + " is " + key + " (safety number " + number +
                               ")" + (before.empty() ? "" : ", and no longer " + before) + "?";
  SIGNET_TRY(const bool sure, before == key ? Result<bool>(true) : context.confirm(question));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY([[maybe_unused]] const Done trusted, client->trust(who, key, false));
  context.out.done(printable_line(who) + " is " + key +
                       " from now on. Compare the safety number when you can:\n" +
                       "  signet peers verify " + printable_line(who),
                   {{"name", who},
                    {"key", key},
                    {"before", before.empty() ? Value() : Value(before)},
                    {"safetyNumber", number},
                    {"verified", false}});
  return Done{};
}

}  // namespace

void add_peers(CommandTree& tree) {
  auto all = std::make_shared<bool>(false);
  CLI::App& peers = tree.command("peers", "who is connected, and whose key is whose",
                                 [all](Context& context) { return list(context, *all); });
  peers.require_subcommand(0, 1);
  peers.add_flag("--all", *all, "members that are away, too");
  add_examples(peers, {"signet peers --all", "signet peers verify bob"});

  auto verified = std::make_shared<VerifyOptions>();
  CLI::App& verifying =
      tree.command(peers, "verify", "the safety number that both of you must see alike",
                   [verified](Context& context) { return verify(context, *verified); });
  verifying.add_option("who", verified->who, "a name, a key or its first digits")->required();
  verifying.add_option("--number", verified->number, "the number they told you: it is compared")
      ->type_name("NUMBER");

  auto who = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  CLI::App& trusting =
      tree.command(peers, "trust", "take another key for theirs, after they really changed it",
                   [who, key](Context& context) { return trust(context, *who, *key); });
  trusting.add_option("who", *who, "their name")->required();
  trusting.add_option("--key", *key, "which key (the one the mesh shows under that name)")
      ->type_name("KEY");
}

}  // namespace signet::cli
