#include "signet/terminal/message_view.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

TEST(MessageView, NoNameLooksLikeAWholeHeader) {
  const struct {
    const char* name;
    std::string_view sender, shown;
  } kRows[] = {
      {"a word", "ada", "ada 0123456789abcdef  "},
      {"a header", "ada 00  now  direct, sealed",
       "\"ada 00  now  direct, sealed\" 0123456789abcdef"},
      {"a quote", "ada\" 00", "\"ada\\\" 00\" 0123456789abcdef"},
      {"a wide blank",
       "ada\xe3\x80\x80"
       "00",
       "\"ada\xe3\x80\x80"
       "00\" 0123456789abcdef"},
  };
  for (const auto& row : kRows) {
    Message message;
    message.sender_name = row.sender;
    message.sender_key = "0123456789abcdef0123456789abcdef";
    EXPECT_TRUE(message_text(message, Output()).starts_with(row.shown)) << row.name;
  }
}

}  // namespace
}  // namespace signet::cli
