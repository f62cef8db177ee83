// Files that systemd hands to the service (LoadCredential=, systemd.exec(5), "Credentials"): a
// setting that names a file may say `credential:NAME` for the one of that name in
// $CREDENTIALS_DIRECTORY.
#pragma once

#include <string>
#include <string_view>

#include "config/setting.h"
#include "signet/result.h"

namespace signet::config {

// Does the setting name a file that is read, and so perhaps a credential?
bool names_file(const Setting& setting);

// The path that `text` means: itself, or that of the credential it names below `folder`, which is
// $CREDENTIALS_DIRECTORY or empty where that is unset. Fails kMalformed where the name is no plain
// file name (1 to 255 of A-Z, a-z, 0-9, '.', '_' and '-', not first a '.'), kNotFound without a
// folder. Whether there is such a file, its reader finds out.
Result<std::string> resolve_credential(std::string_view text, std::string_view folder);

}  // namespace signet::config
