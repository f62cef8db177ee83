#include "signet/commands/token_keys.h"

#include <fstream>
#include <iterator>

#include "crypto/random.h"
#include "crypto/wipe.h"
#include "signet/commands/context.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"
#include "trust/json_web_key.h"

namespace signet::cli {
namespace {

constexpr std::size_t kRandomIdBytes = 8;

struct NewKeyOptions {
  std::string algorithm = "EdDSA";
  std::string id, path;
};
struct PublicOptions {
  std::vector<std::string> paths;
};

Error bad_file(const std::string& path, const Error& why) {
  return failure(ErrorCode::kMalformed, "bad_key_file", path + ": " + why.detail,
                 "`signet token key new` makes one; docs/tokens.md says what may be in it.");
}

// The keys of a set, for programs.
Json keys_in(const std::string& set) {
  wire::JsonDocument document;
  return Json{document.parse(set).ok() ? std::string(document.root()["keys"].raw()) : "[]"};
}

Status new_key(Context& context, const NewKeyOptions& options) {
  const std::string id = options.id.empty() ? crypto::random_hex(kRandomIdBytes) : options.id;
  if (!trust::is_key_id(id)) {
    return usage_error("--kid " + printable_line(id) + " is no name of a key",
                       "It has 1 to 64 letters, digits and - _ . : = @ + /");
  }
  const auto algorithm = *crypto::token_algorithm_from(options.algorithm);
  std::string key = trust::SigningKey::generate(algorithm, id) + "\n";
  const crypto::WipedAtEnd wiped(key);
  SIGNET_TRY([[maybe_unused]] const Done kept, create_private_file(options.path, key));
  Fields fields{{"file", options.path}, {"kid", id}, {"alg", options.algorithm}};
  if (algorithm == crypto::TokenAlgorithm::kHs256) {
    context.out.done("The secret is in " + options.path +
                         ", for your eyes only. Who checks its tokens needs it too, and could "
                         "make some. Give the broker this very file, and nobody else.",
                     fields);
    return Done{};
  }
  auto set = trust::public_key_set({key});
  if (!set.ok()) return bad_file(options.path, set.error());
  if (context.out.is_for_people()) {
    context.out.note(
        "The key that signs is in " + options.path +
        ", for your eyes only. What follows is public: the file that tokens.keys names.");
  }
  fields.push_back({"keys", keys_in(*set)});
  context.out.done(*set, fields);
  return Done{};
}

Result<std::string> read_public_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(ErrorCode::kNotFound, "file_missing", path + " can't be read");
  std::string text;
  for (std::istreambuf_iterator<char> at(file), end;
       at != end && text.size() <= trust::kMaxKeySetBytes; ++at) {
    text += *at;
  }
  return text;
}

Status show_public(Context& context, const PublicOptions& options) {
  std::vector<std::string> texts;
  for (const std::string& path : options.paths) {
    SIGNET_TRY(std::string text, read_public_file(path));
    const crypto::WipedAtEnd wiped(text);
    auto one = trust::public_key_set({text});
    if (!one.ok()) return bad_file(path, one.error());
    texts.push_back(*std::move(one));
  }
  const auto set = trust::public_key_set(texts);
  if (!set.ok()) return bad_file("the files together", set.error());
  context.out.done(*set, {{"keys", keys_in(*set)}});
  return Done{};
}

}  // namespace

Result<trust::SigningKey> read_signing_key(const std::string& path) {
  SIGNET_TRY(std::string text, read_private_file(path));
  const crypto::WipedAtEnd wiped(text);
  auto key = trust::SigningKey::parse(text);
  if (!key.ok()) return bad_file(path, key.error());
  return key;
}

Result<trust::KeySet> read_key_set(const std::string& path) {
  SIGNET_TRY(std::string text, read_public_file(path));
  const crypto::WipedAtEnd wiped(text);
  auto set = trust::KeySet::parse(text);
  if (!set.ok()) return bad_file(path, set.error());
  if (set->has_symmetric()) {
    SIGNET_TRY(std::string secret, read_private_file(path));
    crypto::wipe(secret);
  }
  return set;
}

void add_token_keys(CommandTree& tree, CLI::App& token) {
  CLI::App& noun = *token.add_subcommand("key", "the keys that sign tokens");
  noun.require_subcommand(1);

  auto made = std::make_shared<NewKeyOptions>();
  CLI::App& making = tree.command(noun, "new", "make a key that signs, and print its public half",
                                  [made](Context& context) { return new_key(context, *made); });
  making.add_option("--alg", made->algorithm, "HS256 is one secret for signing and checking")
      ->check(CLI::IsMember({"EdDSA", "ES256", "RS256", "HS256"}))
      ->capture_default_str();
  making.add_option("--kid", made->id, "its name in tokens and sets (a random one)")
      ->type_name("ID");
  making
      .add_option("--out", made->path, "where to write it, mode 0600; no file is ever overwritten")
      ->type_name("FILE")
      ->required();
  add_examples(making, {"signet token key new --out issuer.jwk > token-keys.json",
                        "signet token key new --alg ES256 --kid 2026-06 --out june.jwk"});

  auto shown = std::make_shared<PublicOptions>();
  CLI::App& showing =
      tree.command(noun, "public", "print one set of the public halves of several keys",
                   [shown](Context& context) { return show_public(context, *shown); });
  showing.add_option("file", shown->paths, "keys or sets of keys")->required()->type_name("FILE");
  add_examples(showing, {"signet token key public may.jwk june.jwk > token-keys.json"});
}

}  // namespace signet::cli
