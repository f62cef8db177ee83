#include "dialects/claudemesh.h"
#include "dialects/dialect.h"
#include "dialects/pulsemesh.h"
#include "dialects/simpatico.h"

namespace signet::dialects {

std::vector<std::unique_ptr<Dialect>> all_dialects() {
  std::vector<std::unique_ptr<Dialect>> table;
  table.push_back(std::make_unique<Claudemesh>());
  table.push_back(std::make_unique<PulseMesh>());
  table.push_back(std::make_unique<PulseMeshNode>());
  table.push_back(std::make_unique<Simpatico>());
  return table;
}

}  // namespace signet::dialects
