#include "config/nearest.h"

#include <algorithm>
#include <numeric>

namespace signet::config {
namespace {

// Levenshtein's distance, a row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1 : 0)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view given, const std::vector<std::string>& names) {
  if (given.size() > 128) return {};  // no name is near, and the distance costs the square
  std::string best;
  std::size_t best_distance = given.size() / 3 + 1;
  for (const std::string& name : names) {
    const std::size_t d = distance(given, name);
    if (d >= best_distance) continue;
    best = name;
    best_distance = d;
  }
  return best;
}

}  // namespace signet::config
