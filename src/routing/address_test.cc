#include "routing/address.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace signet::routing {
namespace {

const std::string kLowKey = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const std::string kHighKey = "03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8";
const std::string kMixedKey = "03a107BFf3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531B8";
const std::string kName64(64, 'n');
const std::string kName65(65, 'n');

// What kind of address it is and its one text; or the rule that it breaks.
std::string reading(std::string_view text) {
  const auto address = parse_address(text);
  if (!address.ok()) {
    EXPECT_EQ(address.error().code, ErrorCode::kMalformed);
    return "no: " + address.error().detail;
  }
  constexpr std::array<std::string_view, 4> kKinds{"member ", "everyone ", "channel ", "tag "};
  return std::string(kKinds[address->index()]) + text_of(*address);
}

TEST(Address, HasOneReadingForEachText) {
  struct Case {
    const char* name;
    std::string text;
    std::string reading;
  };
  const Case cases[] = {
      {"a key", kLowKey, "member " + kLowKey},
      {"a key in capitals", kHighKey, "member " + kLowKey},
      {"a key in both cases", kMixedKey, "member " + kLowKey},
      {"a key of zeros", std::string(64, '0'), "member " + std::string(64, '0')},
      {"a key of 63 digits", kLowKey.substr(1), "no: address"},
      {"a key of 65 digits", kLowKey + "0", "no: address"},
      {"half a key", kLowKey.substr(32), "no: address"},
      {"a key with a g", "g" + kLowKey.substr(1), "no: address"},
      {"a key with a space before", " " + kLowKey, "no: address"},
      {"a key with a space after", kLowKey + " ", "no: address"},
      {"a key with a line end", kLowKey + "\n", "no: address"},
      {"a key with 0x", "0x" + kLowKey, "no: address"},
      {"a key with its prefix cut", "0x" + kLowKey.substr(2), "no: address"},
      {"a key and a NUL", kLowKey.substr(1) + std::string(1, '\0'), "no: address"},
      {"everyone", "*", "everyone *"},
      {"everyone twice", "**", "no: address"},
      {"everyone with a space", "* ", "no: address"},
      {"nothing", "", "no: address"},
      {"a space", " ", "no: address"},
      {"a bare word", "team", "no: address"},
      {"a channel", "#team", "channel #team"},
      {"a channel keeps its case", "#Team", "channel #Team"},
      {"a channel of all signs", "#a.b_c-d:e/9", "channel #a.b_c-d:e/9"},
      {"a channel of one letter", "#a", "channel #a"},
      {"a channel of 64 bytes", "#" + kName64, "channel #" + kName64},
      {"a channel of 65 bytes", "#" + kName65, "no: channel name"},
      {"a channel without a name", "#", "no: channel name"},
      {"a channel with two marks", "##team", "no: channel name"},
      {"a channel with a space", "#a b", "no: channel name"},
      {"a channel with a pipe", "#a|b", "no: channel name"},
      {"a channel with a star", "#*", "no: channel name"},
      {"a channel with a greater-than", "#a.>", "no: channel name"},
      {"a channel with an umlaut", "#k\xc3\xb6ln", "no: channel name"},
      {"a channel with a NUL", std::string("#a\0b", 4), "no: channel name"},
      {"a channel with a line end", "#a\n", "no: channel name"},
      {"a channel that looks like a key", "#" + kLowKey, "channel #" + kLowKey},
      {"a tag", "tag:backend", "tag tag:backend"},
      {"a tag of 64 bytes", "tag:" + kName64, "tag tag:" + kName64},
      {"a tag of 65 bytes", "tag:" + kName65, "no: tag name"},
      {"a tag without a name", "tag:", "no: tag name"},
      {"a tag in capitals", "TAG:backend", "no: address"},
      {"a tag with a space", "tag: backend", "no: tag name"},
      {"a tag inside a tag", "tag:tag:x", "tag tag:tag:x"},
      {"a tag without its colon", "tagbackend", "no: address"},
      {"a channel named like a tag", "#tag:x", "channel #tag:x"},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(reading(row.text), row.reading);
  }
}

TEST(Address, ReadsItsOwnTextBackAsTheSameAddress) {
  for (const std::string& text :
       {kHighKey, std::string("*"), std::string("#a/b"), std::string("tag:ops")}) {
    const auto first = parse_address(text);
    ASSERT_TRUE(first.ok()) << text;
    const auto second = parse_address(text_of(*first));
    ASSERT_TRUE(second.ok()) << text;
    EXPECT_EQ(*first, *second);
    EXPECT_EQ(text_of(*first), text_of(*second));
  }
}

TEST(Address, HoldsTheRawBytesOfAKey) {
  const auto address = parse_address(kLowKey);
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(to_hex(std::get<ToMember>(*address).key), kLowKey);
}

// A name is the same everywhere, so its grammar is checked byte by byte.
TEST(Name, IsMadeOfItsSignsOnly) {
  const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(is_name(text), allowed.find(text) != std::string::npos) << byte;
    EXPECT_EQ(is_name("a" + text + "z"), allowed.find(text) != std::string::npos) << byte;
  }
}

}  // namespace
}  // namespace signet::routing
