// protocol/vectors/hub.json, made by Python and Node: from the event to the verdict.
#include <gtest/gtest.h>

#include <iostream>

#include "dialects/hub.h"
#include "wire/vectors_for_test.h"

namespace signet::dialects {
namespace {

using wire::JsonValue;

std::string_view text_in(JsonValue vector, std::string_view name) {
  return vector[name].string().value_or("");
}

template <class Check>
void each_vector(std::string_view section, std::size_t at_least, const Check& check) {
  wire::JsonDocument document;
  const JsonValue vectors = wire::load_vectors(document, "hub.json")[section];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(text_in(vectors[i], "name"));
    check(vectors[i]);
  }
  EXPECT_GE(vectors.size(), at_least) << section;
  std::cout << section << ": " << vectors.size() << " vectors\n";
}

template <class Code>
std::string_view told(const std::optional<Code>& refused) {
  return refused ? signet::name_of(*refused) : "good";
}

WallTime now_of(JsonValue vector) { return WallTime{vector["now"].integer().value_or(0)}; }

std::string_view verdict_of_user(HubReader& reader, JsonValue vector) {
  const std::vector<std::string_view> keys{text_in(vector, "secret")};
  const HubVerb verb = reader.read_user(text_in(vector, "event"));
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
  const EngineVerb verb = reader.read_engine(text_in(vector, "event"));
  const auto* const said = std::get_if<EnginePacketSaid>(&verb);
  if (said == nullptr) return "another verb";
  const auto refused =
      trust::check_engine(said->claim, text_in(vector, "secret"), now_of(vector), {});
  if (refused || said->fits) return told(refused);
  return signet::name_of(EngineRefusal::kEnginePayloadInvalid);
}

TEST(HubVectors, ActionsHaveTheirVerdicts) {
  HubReader reader;
  each_vector("actions", 50, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_user(reader, vector), text_in(vector, "verdict"));
  });
}

TEST(HubVectors, HeartbeatsOfAgentsHaveTheirVerdicts) {
  HubReader reader;
  each_vector("agents", 20, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_user(reader, vector), text_in(vector, "verdict"));
  });
}

TEST(HubVectors, PacketsOfEnginesHaveTheirVerdicts) {
  HubReader reader;
  each_vector("engines", 32, [&](JsonValue vector) {
    EXPECT_EQ(verdict_of_engine(reader, vector), text_in(vector, "verdict"));
  });
}

TEST(HubVectors, SessionsHaveTheirKeys) {
  each_vector("session_keys", 3, [](JsonValue vector) {
    const auto key = trust::session_action_key(text_in(vector, "secret"), text_in(vector, "user"),
                                               text_in(vector, "sid"));
    EXPECT_EQ(key.reveal(), text_in(vector, "key"));
  });
}

}  // namespace
}  // namespace signet::dialects
