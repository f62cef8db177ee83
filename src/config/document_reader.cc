#include "config/document_reader.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/nearest.h"

namespace signet::config {
namespace {

using trust::Place;
using trust::Placed;
using trust::PlacedList;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string suggestion(std::string_view given, const std::vector<std::string>& names) {
  const std::string near = nearest(given, names);
  return near.empty() ? "" : "; did you mean " + quoted(near) + "?";
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Result<std::string> read_document(const std::string& path, std::size_t max_bytes) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Error{ErrorCode::kNotFound, path + ": cannot be opened"};
  std::string text(max_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Error{ErrorCode::kNotFound, path + ": cannot be read"};
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() <= max_bytes) return text;
  return Error{ErrorCode::kMalformed,
               path + ": is over " + std::to_string(max_bytes / 1024) + " KiB"};
}

Result<toml::table> DocumentReader::parse(std::string_view text, std::size_t max_bytes) const {
  if (text.size() <= max_bytes) return parse_table(text, name_);
  return Error{ErrorCode::kMalformed,
               name_ + ":1:1: the document has more than " + std::to_string(max_bytes) + " bytes"};
}

void DocumentReader::add(std::vector<trust::PolicyFault> more) {
  std::move(more.begin(), more.end(), std::back_inserter(faults_));
}

Error DocumentReader::error() const {
  return {ErrorCode::kMalformed, trust::text_of(name_, faults_)};
}

void DocumentReader::read(const toml::table& table, const Keys& keys, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& known : keys) names.push_back(known.first);
  for (const auto& [key, node] : table) {
    const auto found = std::find(names.begin(), names.end(), key.str());
    if (found != names.end()) {
      keys[static_cast<std::size_t>(std::distance(names.begin(), found))].second(key, node);
      continue;
    }
    const std::string near = suggestion(key.str(), names);
    fault(place_of(key), what + " has no key " + quoted(key.str()) +
                             (near.empty() ? "; its keys are " + list_of(names) : near));
  }
}

void DocumentReader::each_entry(const toml::key& key, const toml::node& node, const Handler& take) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return fault(place_of(key), quoted(key.str()) + " is a table");
  for (const auto& [inner, value] : *table) take(inner, value);
}

void DocumentReader::each_table(const toml::key& key, const toml::node& node,
                                const std::function<void(const toml::table&)>& take) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    return fault(place_of(key), quoted(key.str()) + " is a list: write [[" +
                                    std::string(key.str()) + "]] above each");
  }
  for (const toml::node& element : *array) {
    if (const toml::table* const table = element.as_table()) {
      take(*table);
    } else {
      fault(place_of(element), quoted(key.str()) + " is a list of tables");
    }
  }
}

DocumentReader::Handler DocumentReader::text(Placed& out) {
  return [this, &out](const toml::key& key, const toml::node& node) {
    const auto* const value = node.as_string();
    if (value == nullptr) return fault(place_of(key), quoted(key.str()) + " takes a text");
    out = Placed(value->get(), place_of(node));
  };
}

DocumentReader::Handler DocumentReader::boolean(std::function<void(bool)> take) {
  return [this, take = std::move(take)](const toml::key& key, const toml::node& node) {
    const auto* const value = node.as_boolean();
    if (value == nullptr) return fault(place_of(key), quoted(key.str()) + " takes true or false");
    take(value->get());
  };
}

DocumentReader::Handler DocumentReader::number(std::function<void(double)> take) {
  return [this, take = std::move(take)](const toml::key& key, const toml::node& node) {
    if (const auto* const whole = node.as_integer()) return take(static_cast<double>(whole->get()));
    if (const auto* const value = node.as_floating_point()) return take(value->get());
    fault(place_of(key), quoted(key.str()) + " takes a number");
  };
}

DocumentReader::Handler DocumentReader::texts(PlacedList& out, Empty empty) {
  return [this, &out, empty](const toml::key& key, const toml::node& node) {
    const toml::array* const array = node.as_array();
    if (array == nullptr) return fault(place_of(key), quoted(key.str()) + " takes a list of texts");
    if (array->empty() && empty == Empty::kRefused) {
      return fault(place_of(key), quoted(key.str()) + " is empty: name something or leave it out");
    }
    for (const toml::node& element : *array) {
      if (const auto* const value = element.as_string()) {
        out.emplace_back(value->get(), place_of(element));
      } else {
        fault(place_of(element), quoted(key.str()) + " takes a list of texts");
      }
    }
  };
}

void DocumentReader::take_word(const Placed& given, const std::vector<std::string>& names,
                               const std::string& what,
                               const std::function<void(std::size_t)>& take) {
  const auto found = std::find(names.begin(), names.end(), given.text);
  if (found != names.end()) return take(static_cast<std::size_t>(found - names.begin()));
  const std::string near = suggestion(given.text, names);
  fault(given.at, quoted(given.text) + " is no " + what +
                      (near.empty() ? "; there are " + list_of(names) : near));
}

DocumentReader::Handler DocumentReader::word(const std::vector<std::string>& names,
                                             std::string what,
                                             std::function<void(std::size_t)> take) {
  return [this, &names, what = std::move(what), take = std::move(take)](const toml::key& key,
                                                                        const toml::node& node) {
    const std::size_t before = faults();
    Placed given("");
    text(given)(key, node);
    if (faults() == before) take_word(given, names, what, take);
  };
}

DocumentReader::Handler DocumentReader::words(const std::vector<std::string>& names,
                                              std::string what,
                                              std::function<void(std::size_t)> take) {
  return [this, &names, what = std::move(what), take = std::move(take)](const toml::key& key,
                                                                        const toml::node& node) {
    PlacedList given;
    texts(given)(key, node);
    for (const Placed& each : given) take_word(each, names, what, take);
  };
}

}  // namespace signet::config
