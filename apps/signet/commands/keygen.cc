#include "crypto/wipe.h"
#include "signet/commands/commands.h"
#include "signet/profile/private_file.h"

namespace signet::cli {
namespace {

Status keygen(Context& context, std::string path) {
  if (path.empty()) {
    path = context.paths.config_folder + "/identity.key";
    SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.config_folder));
  }
  const Identity identity = Identity::generate();
  std::string seed = identity.seed_hex() + "\n";
  const crypto::WipedAtEnd wiped(seed);
  SIGNET_TRY([[maybe_unused]] const Done written, create_private_file(path, seed));
  context.out.done("A new key is in " + path + ", for your eyes only.\nIts public half is " +
                       identity.public_key(),
                   {{"publicKey", identity.public_key()}, {"file", path}});
  return Done{};
}

}  // namespace

void add_keygen(CommandTree& tree) {
  auto path = std::make_shared<std::string>();
  CLI::App& command =
      tree.command("keygen", "make a key pair; an existing file is never overwritten",
                   [path](Context& context) { return keygen(context, *path); });
  command
      .add_option("--out", *path, "where to write it, mode 0600 (identity.key beside the config)")
      ->type_name("FILE");
  add_examples(command, {"signet keygen --out ada.key", "signet join LINK --key ada.key"});
}

}  // namespace signet::cli
