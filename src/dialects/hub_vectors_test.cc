// protocol/vectors/hub.json, made by Python and Node: from the event to the verdict.
#include <gtest/gtest.h>

#include "dialects/hub.h"
#include "dialects/vectors_for_test.h"

namespace signet::dialects {
namespace {

using wire::JsonValue;

template <class Code>
std::string_view told(const std::optional<Code>& refused) {
  return refused ? signet::name_of(*refused) : "good";
}

WallTime now_of(JsonValue vector) { return WallTime{vector["now"].integer().value_or(0)}; }

std::string_view verdict_of_user(HubReader& reader, JsonValue vector) {
  const std::vector<std::string_view> keys{view_in(vector, "secret")};
  const HubVerb verb = reader.read_user(view_in(vector, "event"));
  if (const auto* const bad = std::get_if<HubMalformed>(&verb)) return bad->code;
  if (const auto* const action = std::get_if<HubAction>(&verb)) {
    return told(trust::check_action(action->claim, keys, now_of(vector), {}));
  }
  if (const auto* const agent = std::get_if<HubAgentHeartbeat>(&verb)) {
    return told(trust::check_agent(agent->claim, keys, now_of(vector), {}));
  }
  return "another verb";
}

std::string_view verdict_of_engine(HubReader& reader, JsonValue vector) {
  const EngineVerb verb = reader.read_engine(view_in(vector, "event"));
  const auto* const said = std::get_if<EnginePacketSaid>(&verb);
  if (said == nullptr) return "another verb";
  const auto refused =
      trust::check_engine(said->claim, view_in(vector, "secret"), now_of(vector), {});
  if (refused || said->fits) return told(refused);
  return signet::name_of(EngineRefusal::kEnginePayloadInvalid);
}

TEST(HubVectors, ActionsHaveTheirVerdicts) {
  HubReader reader;
  each_vector("hub.json", "actions", 50, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_user(reader, vector), view_in(vector, "verdict"));
  });
}

TEST(HubVectors, HeartbeatsOfAgentsHaveTheirVerdicts) {
  HubReader reader;
  each_vector("hub.json", "agents", 20, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_user(reader, vector), view_in(vector, "verdict"));
  });
}

TEST(HubVectors, PacketsOfEnginesHaveTheirVerdicts) {
  HubReader reader;
  each_vector("hub.json", "engines", 32, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_engine(reader, vector), view_in(vector, "verdict"));
  });
}

TEST(HubVectors, SessionsHaveTheirKeys) {
  each_vector("hub.json", "session_keys", 3, [](JsonValue vector) {
    const auto key = trust::session_action_key(view_in(vector, "secret"), view_in(vector, "user"),
                                               view_in(vector, "sid"));
    EXPECT_EQ(key.reveal(), view_in(vector, "key"));
  });
}

}  // namespace
}  // namespace signet::dialects
