// Output: what a command has to say, as a table or sentence for people or as JSON for programs.
// In JSON, standard output holds nothing but JSON: one document (json), or one object a line
// (jsonl). Standard error has notes and failures for people in every format.
//
// Texts of others go through text.h here: no command needs to think of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "signet/result.h"
#include "signet/terminal/failure.h"
#include "wire/json.h"

namespace signet::cli {

enum class Format : std::uint8_t { kTable, kJson, kJsonl };

// JSON of somebody else, on one line and valid: programs get it as it is.
struct Json {
  std::string text;
};

// Nothing, a text, a whole number, yes or no, several texts, or JSON.
using Value =
    std::variant<std::monostate, std::string, std::int64_t, bool, std::vector<std::string>, Json>;

// How a column is shown to people; programs always get all of it.
enum class Show : std::uint8_t { kAll, kKey /* the first 16 digits */, kNever };

struct Column {
  std::string key;    // of the JSON member
  std::string title;  // of the table
  Show show = Show::kAll;
};
struct Table {
  std::string name;  // of the JSON array
  std::vector<Column> columns;
  std::vector<std::vector<Value>> rows;  // a value for each column
  bool ok = true;                        // of the JSON
};

struct Field {
  std::string key;
  Value value;
  std::string title = {};  // empty: not shown to people
};
using Fields = std::vector<Field>;

class Output {
 public:
  Output() = default;
  Output(Format format, bool colour) : format_(format), colour_(colour) {}

  Format format() const { return format_; }
  bool is_for_people() const { return format_ == Format::kTable; }
  bool has_colour() const { return colour_; }

  // A list. `empty` is what people read where it has no rows. `more`: fields beside the list.
  void list(const Table& table, std::string_view empty, const Fields& more = {});
  // One thing: people see its titled fields that are not empty, one a line.
  void record(const Fields& fields);
  // Something was done: people read the sentence, programs `{"ok":true,…}`.
  void done(std::string_view sentence, const Fields& fields = {});
  // One of a stream (listen): people read `text` as it is, which must be printable already.
  void item(std::string_view text, const Fields& fields);
  // Raw text for people and programs alike: a script, a page.
  void text(std::string_view text);

  // For people, on standard error; it never mixes with JSON.
  void note(std::string_view sentence) const;
  // The failure, on standard error; programs get it as an object too:
  // {"ok":false,"error":code,"message","advice","exit"}.
  void fail(const Told& told);

  // False when standard output is gone (a closed pipe, a full disk): nobody has what was said.
  bool is_delivered() const { return delivered_; }

  std::string paint(std::string_view ansi, std::string_view text) const;

 private:
  void print(std::string_view bytes);
  void print_json(std::string_view json);

  Format format_ = Format::kTable;
  bool colour_ = false;
  bool delivered_ = true;
};

// Pure halves, for tests.
std::string table_text(const Table& table);
std::string fields_text(const Fields& fields);
void write_value(wire::JsonWriter& json, const Value& value);

// Colours are for terminals whose owner did not say NO_COLOR.
bool wants_colour();

}  // namespace signet::cli
