// Reads JSON from its input, one value a line, and prints each as wire::stringified does; a line
// that is no strict JSON as `!` and the rule it breaks. For the test that compares with Node.
#include <iostream>
#include <string>

#include "wire/json.h"
#include "wire/stringified.h"

int main() {
  std::ios::sync_with_stdio(false);
  signet::wire::JsonDocument document;
  for (std::string line; std::getline(std::cin, line);) {
    const auto parsed = document.parse(line);
    if (parsed.ok()) {
      std::cout << signet::wire::stringified(document.root()) << '\n';
    } else {
      std::cout << '!' << parsed.error().detail << '\n';
    }
  }
  return 0;
}
