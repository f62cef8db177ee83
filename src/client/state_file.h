// StateFile is an opened state file: checked, this identity's, and entered as a holder. Anything
// that is no healthy state file stays as it is, except a damaged one, which is put aside under
// another name so that the next open begins anew.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/database.h"
#include "client/holder.h"
#include "client/state.h"
#include "client/state_schema.h"

namespace signet::client {

// The database is closed before the holder is gone.
struct StateFile {
  Holder holder;
  std::optional<HolderFolder> holders;  // none in memory
  std::unique_ptr<Database> database;   // never null
};

// Fails as State::open does.
Result<StateFile> open_state_file(const StateOptions& options, const StateOwner& owner);

}  // namespace signet::client
