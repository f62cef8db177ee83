// What the log says of the overlay: that a node came or was forgotten, that an epoch was decided,
// and each verdict that changed. Its drafts are committed with what they tell of. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "overlay/judgement.h"

namespace signet::controller {

// About the member whose credential the node is. The hash is of its WireGuard key and not keyed, so
// that an auditor can find a known one; an original node ("unsigned") has none.
audit::Draft entry_of_registration(MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
                                   const overlay::Node& node);
audit::Draft entry_of_forgetting(MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
                                 const overlay::Node& node);

// One of the epoch, "epoch:9.rule:3.allowed:40.denied:2", whose hash is of all decisions, and one
// of each verdict that is another than before, "denied.too_old"; none where there are no nodes. The
// hash is keyed as pseudonyms are: scores could be guessed.
std::vector<audit::Draft> entries_of_epoch(
    MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
    const std::map<std::string, overlay::Judgement>& judgements);

}  // namespace signet::controller
