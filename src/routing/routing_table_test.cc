#include "routing/routing_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "routing/pulsemesh_routes.h"

namespace signet::routing {
namespace {

using Names = std::vector<std::string>;

RoutingTable compiled(const RoutingDocument& document) {
  auto table = RoutingTable::compile(document);
  EXPECT_TRUE(table.ok()) << (table.ok() ? "" : table.error().detail);
  return table.ok() ? *std::move(table) : RoutingTable();
}

std::string refusal(const RoutingDocument& document) {
  const auto table = RoutingTable::compile(document);
  if (table.ok()) return "accepted";
  EXPECT_EQ(table.error().code, ErrorCode::kMalformed);
  return table.error().detail;
}

// `count` topics that are named t0, t1 and so on.
Names numbered(std::size_t count) {
  Names names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("t" + std::to_string(i));
  return names;
}

TEST(RoutingTable, RoutesToTheTopicsOfTargetNodes) {
  const RoutingTable table = compiled(
      {{{"n", {"n.b", "n.a"}}, {"m", {"m.a", "n.a"}}, {"none", {}}},
       {{"x", {"n"}}, {"y", {"m", "n", "m"}}, {"n.a", {"n"}}, {"n.b", {}}, {"z", {"none"}}}});
  EXPECT_EQ(table.also_to("x"), (Names{"n.a", "n.b"}));
  EXPECT_EQ(table.also_to("y"), (Names{"m.a", "n.a", "n.b"}));  // sorted, each once
  EXPECT_EQ(table.also_to("n.a"), (Names{"n.b"}));              // not to itself
  EXPECT_EQ(table.also_to("n.b"), Names{});
  EXPECT_EQ(table.also_to("z"), Names{});
  EXPECT_EQ(table.also_to("m.a"), Names{});
  EXPECT_EQ(table.also_to("elsewhere"), Names{});
  EXPECT_EQ(table.also_to(""), Names{});
  EXPECT_EQ(table.topics(), (Names{"m.a", "n.a", "n.b", "x", "y", "z"}));
  EXPECT_TRUE(table.names("m.a") && table.names("x"));
  EXPECT_FALSE(table.names("n") || table.names("elsewhere"));
}

TEST(RoutingTable, IsEmptyByDefault) {
  EXPECT_EQ(RoutingTable().also_to("mirror.intent"), Names{});
  EXPECT_EQ(compiled({}).topics(), Names{});
}

TEST(RoutingTable, SaysWhatItRefuses) {
  struct Case {
    const char* name;
    RoutingDocument document;
    std::string sentence;
  };
  // clang-format off
  const Case cases[] = {
      {"a node without a name", {{{"", {"a"}}}, {}}, "node \"\" has no valid name"},
      {"a node with a space", {{{"n n", {"a"}}}, {}}, "node \"n n\" has no valid name"},
      {"a node of 65 bytes", {{{std::string(65, 'n'), {}}}, {}},
       "node \"" + std::string(65, 'n') + "\" has no valid name"},
      {"a pattern in a node", {{{"n", {"a", "a.*"}}}, {}}, "node \"n\": no topic: \"a.*\""},
      {"an empty topic in a node", {{{"n", {""}}}, {}}, "node \"n\": no topic: \"\""},
      {"a long topic, cut", {{{"n", {std::string(1000, 'a')}}}, {}},
       "node \"n\": no topic: \"" + std::string(129, 'a') + "\""},
      {"a pattern with targets", {{{"n", {"a"}}}, {{">", {"n"}}}},
       "targets of what is no topic: \">\""},
      {"an unknown target", {{{"n", {"a"}}}, {{"a", {"n", "m"}}}},
       "topic \"a\" names an unknown node: \"m\""},
      {"a topic as a target", {{{"n", {"a"}}}, {{"b", {"a"}}}},
       "topic \"b\" names an unknown node: \"a\""},
  };
  // clang-format on
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(refusal(row.document), row.sentence);
  }
}

TEST(RoutingTable, HoldsItsBounds) {
  EXPECT_EQ(refusal({{{"n", numbered(1024)}}, {}}), "accepted");
  EXPECT_EQ(refusal({{{"n", numbered(1025)}}, {}}), "more than 1024 topics");
  EXPECT_EQ(refusal({{{"n", numbered(1024)}}, {{"other", {}}}}), "more than 1024 topics");

  RoutingDocument nodes;
  for (const std::string& name : numbered(256)) nodes.nodes[name] = {};
  EXPECT_EQ(refusal(nodes), "accepted");
  nodes.nodes["one-more"] = {};
  EXPECT_EQ(refusal(nodes), "more than 256 nodes");

  RoutingDocument routes{{{"n", numbered(64)}}, {}};
  for (int i = 0; i < 256; ++i) routes.targets["x" + std::to_string(i)] = {"n"};
  EXPECT_EQ(refusal(routes), "accepted");
  routes.targets["t0"] = {"n"};
  EXPECT_EQ(refusal(routes), "more than 16384 routes from a topic to another");
}

TEST(RoutingTable, CopiesWhatIsListedOftenOnce) {
  RoutingDocument document{{{"n", Names(100'000, "a")}}, {}};
  for (const std::string& topic : numbered(1000)) document.targets[topic] = Names(100, "n");
  EXPECT_EQ(compiled(document).also_to("t7"), Names{"a"});
}

TEST(PulsemeshRoutes, CompileToTheTableOfTheProtocol) {
  const RoutingTable table = compiled(pulsemesh_routes());
  const Names mirror{"mirror.intent", "mirror.query", "mirror.update"};
  const Names core{"core.ingest", "core.reasoning", "core.reply", "core.status"};
  const Names sage{"audit.log", "governance.decision", "governance.validate"};
  const Names pulsemesh{"system.genesis", "system.health_check", "system.health_response",
                        "wake.node_ready"};
  const Names kronos{"kronos.decay", "kronos.index", "kronos.query", "kronos.query_result"};
  const Names shadow{"shadow.provenance", "shadow.query", "shadow.query_result"};
  const auto joined = [](const std::string& without, std::initializer_list<Names> parts) {
    std::set<std::string> names;
    for (const Names& part : parts) names.insert(part.begin(), part.end());
    names.erase(without);
    return Names(names.begin(), names.end());
  };
  const auto expect = [&](const char* topic, std::initializer_list<Names> parts) {
    EXPECT_EQ(table.also_to(topic), joined(topic, parts)) << topic;
  };
  expect("mirror.intent", {core, sage, pulsemesh});
  expect("mirror.update", {core, pulsemesh});
  expect("mirror.query", {core});
  expect("system.genesis", {mirror, core, sage, kronos, shadow});
  expect("system.health_check", {mirror, core, sage, kronos, shadow});
  expect("system.health_response", {pulsemesh});
  expect("wake.node_ready", {pulsemesh});
  expect("core.reply", {mirror, pulsemesh});
  expect("core.status", {mirror, sage, pulsemesh});
  expect("core.ingest", {sage, kronos, shadow});
  expect("core.reasoning", {mirror, sage, kronos});
  expect("audit.log", {core, mirror, shadow});
  expect("governance.decision", {core, mirror, shadow});
  expect("governance.validate", {sage});
  expect("kronos.index", {kronos});
  expect("kronos.query", {kronos});
  expect("kronos.decay", {core, sage, mirror});
  expect("kronos.query_result", {core, mirror});
  expect("shadow.provenance", {shadow});
  expect("shadow.query", {shadow});
  expect("shadow.query_result", {core, mirror});
  EXPECT_EQ(table.topics(), joined("", {mirror, core, sage, pulsemesh, kronos, shadow}));
}

}  // namespace
}  // namespace signet::routing
