// `signet token key …`: the files of keys that sign tokens, and reading them.
#pragma once

#include <string>

#include "signet/commands/command_tree.h"
#include "signet/result.h"
#include "trust/key_set.h"
#include "trust/signing_key.h"

namespace signet::cli {

void add_token_keys(CommandTree& tree, CLI::App& token);

// Fails as read_private_file(), and kMalformed (bad_key_file) for what is no key.
Result<trust::SigningKey> read_signing_key(const std::string& path);

// A set of public keys may be anybody's to read; one of secrets fails as read_private_file() where
// others may. Fails kMalformed (bad_key_file) for what is no set.
Result<trust::KeySet> read_key_set(const std::string& path);

}  // namespace signet::cli
