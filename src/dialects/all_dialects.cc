#include "dialects/claudemesh.h"
#include "dialects/dialect.h"

namespace signet::dialects {

std::vector<std::unique_ptr<Dialect>> all_dialects() {
  std::vector<std::unique_ptr<Dialect>> table;
  table.push_back(std::make_unique<Claudemesh>());
  return table;
}

}  // namespace signet::dialects
