// Reads the sections of protocol/vectors/*.json for the tests of this module.
#pragma once

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "wire/vectors_for_test.h"

namespace signet::dialects {

// Borrowed from the document.
inline std::string_view view_in(wire::JsonValue object, std::string_view name) {
  return object[name].string().value_or("");
}
inline std::string text_in(wire::JsonValue object, std::string_view name) {
  return std::string(view_in(object, name));
}

// A text of a vector: each @@ stands for as many letters as its `fill` says.
inline std::string filled(std::string text, wire::JsonValue vector) {
  const auto fill = vector["fill"].integer();
  if (!fill) return text;
  const std::string letters(static_cast<std::size_t>(*fill), 'a');
  for (auto at = text.find("@@"); at != text.npos; at = text.find("@@", at + letters.size())) {
    text.replace(at, 2, letters);
  }
  return text;
}

// Runs `check` on every vector of a section; says how many there were.
template <class Check>
void each_vector(const std::string& file, std::string_view section, std::size_t at_least,
                 const Check& check) {
  wire::JsonDocument document;
  const wire::JsonValue vectors = wire::load_vectors(document, file)[section];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(text_in(vectors[i], "name"));
    check(vectors[i]);
  }
  EXPECT_GE(vectors.size(), at_least) << section;
  std::cout << section << ": " << vectors.size() << " vectors\n";
}

}  // namespace signet::dialects
