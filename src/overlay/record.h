// What the overlay keeps, as bytes for its rows in the store: each record begins with the number of
// its layout. Read back strictly, since a row that says something else must not be half believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "overlay/epoch_table.h"
#include "overlay/judgement.h"
#include "overlay/node.h"
#include "overlay/rule.h"

namespace signet::overlay {

std::string encode(const Node& node);
std::string encode(const EpochState& state);
std::string encode(const RuleParameters& parameters);
std::string encode(const Judgement& judgement);

// nullopt for what encode() does not write: another layout, bytes that are missing or too many,
// values out of their range.
std::optional<Node> decode_node(std::string_view bytes);
std::optional<EpochState> decode_epoch_state(std::string_view bytes);
std::optional<RuleParameters> decode_rule(std::string_view bytes);
std::optional<Judgement> decode_judgement(std::string_view bytes);

}  // namespace signet::overlay
