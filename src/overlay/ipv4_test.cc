#include "overlay/ipv4.h"

#include <gtest/gtest.h>

namespace signet::overlay {
namespace {

TEST(Decimal, IsOneTextOfOneNumber) {
  // clang-format off
  const struct { std::string_view text; std::uint32_t most; std::optional<std::uint32_t> number; } rows[] = {
      {"0", 0, 0}, {"7", 9, 7}, {"255", 255, 255}, {"4294967295", 4'294'967'295, 4'294'967'295},
      {"256", 255, std::nullopt}, {"4294967296", 4'294'967'295, std::nullopt},
      {"", 9, std::nullopt}, {"00", 9, std::nullopt}, {"01", 9, std::nullopt},
      {"-1", 9, std::nullopt}, {"+1", 9, std::nullopt}, {" 1", 9, std::nullopt},
      {"1 ", 9, std::nullopt}, {"1.", 9, std::nullopt}, {"0x1", 9, std::nullopt},
      {std::string_view("1\0", 2), 9, std::nullopt},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(decimal_from(row.text, row.most), row.number) << row.text;
}

TEST(Ipv4, ReadsFourDecimals) {
  // clang-format off
  const struct { std::string_view text; std::uint32_t address; } rows[] = {
      {"0.0.0.0", 0}, {"10.10.0.2", 0x0a0a0002}, {"255.255.255.255", 0xffffffff},
      {"192.168.0.255", 0xc0a800ff}, {"1.2.3.4", 0x01020304},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_EQ(ipv4_from(row.text), row.address) << row.text;
    EXPECT_EQ(ipv4_text(row.address), row.text);
  }
}

TEST(Ipv4, TakesNothingElse) {
  for (const std::string_view text :
       {"",           ".",        "...",       "1",        "1.2.3",
        "1.2.3.",     ".1.2.3",   "1..2.3",    "1.2.3.4.", "1.2.3.4.5",
        "1.2.3.256",  "1.2.3.04", "1.2.3.0x4", "1.2.3.4 ", " 1.2.3.4",
        "1.2.3.-4",   "a.b.c.d",  "localhost", "16909060", "::ffff:1.2.3.4",
        "1.2.3.4/32", "1.2.3.4\n"}) {
    EXPECT_EQ(ipv4_from(text), std::nullopt) << text;
  }
  EXPECT_EQ(ipv4_from(std::string_view("1.2.3.4\0", 8)), std::nullopt);
}

}  // namespace
}  // namespace signet::overlay
