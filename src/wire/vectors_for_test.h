// Reads protocol/vectors/*.json for the tests of this module.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/encoding.h"
#include "wire/json.h"

namespace signet::wire {

// Parses the vector file into `document` and answers its vectors.
inline JsonValue load_vectors(JsonDocument& document, const std::string& file) {
  const std::string path = std::string(SIGNET_SOURCE_DIR) + "/protocol/vectors/" + file;
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << path << ": " << (parsed.ok() ? "" : parsed.error().detail);
  return parsed.ok() ? document.root()["vectors"] : JsonValue();
}

inline std::string bytes_from_hex(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  const std::span<unsigned char> out(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(from_hex(hex, out)) << hex;
  return bytes;
}

}  // namespace signet::wire
