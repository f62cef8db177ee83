// JsonValue as the schema library reads values, so that it sees what the strict parser accepted and
// nothing is parsed by two readers. Inside `wire` only, for json_schema.cc.
#pragma once

// Without it the library ends the process where it now throws.
#define VALIJSON_USE_EXCEPTIONS 1

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <valijson/internal/adapter.hpp>
#include <valijson/internal/basic_adapter.hpp>
#include <valijson/internal/frozen_value.hpp>
#include <valijson/validation_results.hpp>

#include "wire/json.h"

namespace signet::wire {

// Leaves the library from within: it can be stopped no other way.
struct SchemaStop : std::exception {
  const char* what() const noexcept override { return "stopped"; }
};

// SchemaWork is what one check may still do. A schema can make a short text cost much (every value
// with every other, all branches of a choice); this bounds it, and ends the search for words as
// soon as there is a first fault.
class SchemaWork {
 public:
  explicit SchemaWork(std::size_t steps, const valijson::ValidationResults* faults = nullptr)
      : left_(steps), faults_(faults) {}

  void spend(std::size_t steps) {
    if (steps > left_ || (faults_ != nullptr && faults_->numErrors() > 0)) throw SchemaStop();
    left_ -= steps;
  }

 private:
  std::size_t left_;
  const valijson::ValidationResults* faults_;
};

// A value and what may be done with it; without `work`, as a schema's own values are, anything.
struct SchemaValue {
  JsonValue json;
  SchemaWork* work = nullptr;

  void spend(std::size_t steps) const {
    if (work != nullptr) work->spend(steps);
  }
  SchemaValue at(std::size_t index) const { return {json[index], work}; }
};

class SchemaAdapter;
using SchemaMember = std::pair<std::string, SchemaAdapter>;

// Of items or members, which differ in what `*` makes of their place.
template <class Item>
class SchemaIterator {
 public:
  SchemaIterator(const SchemaValue& container, std::size_t index)
      : container_(container), index_(index) {}

  Item operator*() const;
  valijson::adapters::DerefProxy<Item> operator->() const {
    return valijson::adapters::DerefProxy<Item>(**this);
  }
  bool operator==(const SchemaIterator& other) const { return index_ == other.index_; }
  bool operator!=(const SchemaIterator& other) const { return index_ != other.index_; }
  const SchemaIterator& operator++() {
    ++index_;
    return *this;
  }
  SchemaIterator operator++(int) {
    const SchemaIterator before = *this;
    ++index_;
    return before;
  }
  const SchemaIterator& operator--() {
    --index_;
    return *this;
  }
  void advance(std::ptrdiff_t count) { index_ += static_cast<std::size_t>(count); }

 private:
  SchemaValue container_;
  std::size_t index_;
};

template <class Item>
class SchemaContainer {
 public:
  using const_iterator = SchemaIterator<Item>;
  using iterator = const_iterator;

  SchemaContainer() = default;
  explicit SchemaContainer(const SchemaValue& value) : value_(value) {}

  const_iterator begin() const { return {value_, 0}; }
  const_iterator end() const { return {value_, size()}; }
  std::size_t size() const { return value_.json.size(); }
  const_iterator find(const std::string& name) const {
    value_.spend(size());
    std::size_t index = 0;
    while (index < size() && value_.json.key(index) != name) ++index;
    return {value_, index};
  }

 private:
  SchemaValue value_;
};

template <>
SchemaAdapter SchemaIterator<SchemaAdapter>::operator*() const;
template <>
SchemaMember SchemaIterator<SchemaMember>::operator*() const;

using SchemaArray = SchemaContainer<SchemaAdapter>;
using SchemaObject = SchemaContainer<SchemaMember>;

// What the library asks of a value. To it every number is a double, as to ECMAScript, and one
// without a fraction an integer, as draft 7 has it.
class SchemaReader {
 public:
  SchemaReader() = default;
  explicit SchemaReader(const SchemaValue& value) : value_(value) {}

  valijson::adapters::FrozenValue* freeze() const;  // the caller's

  std::optional<SchemaArray> getArrayOptional() const {
    return isArray() ? std::optional(SchemaArray(value_)) : std::nullopt;
  }
  std::optional<SchemaObject> getObjectOptional() const {
    return isObject() ? std::optional(SchemaObject(value_)) : std::nullopt;
  }
  bool getArraySize(std::size_t& size) const { return isArray() && put(size, value_.json.size()); }
  bool getObjectSize(std::size_t& size) const {
    return isObject() && put(size, value_.json.size());
  }
  bool getBool(bool& flag) const { return isBool() && put(flag, *value_.json.boolean()); }
  bool getDouble(double& number) const {
    const auto found = value_.json.number();
    return found && put(number, *found);
  }
  bool getInteger(std::int64_t& number) const {
    constexpr double kBeyond = 9'223'372'036'854'775'808.0;  // 2^63
    const auto found = value_.json.number();
    if (!isInteger() || *found < -kBeyond || *found >= kBeyond) return false;
    return put(number, static_cast<std::int64_t>(*found));
  }
  bool getString(std::string& text) const {
    if (!isString()) return false;
    text = *value_.json.string();
    return true;
  }

  static bool hasStrictTypes() { return true; }
  bool isArray() const { return is(JsonKind::kArray); }
  bool isBool() const { return is(JsonKind::kBool); }
  bool isDouble() const { return is(JsonKind::kNumber); }
  bool isInteger() const {
    const auto number = is(JsonKind::kNumber) ? value_.json.number() : std::nullopt;
    return number && *number == std::floor(*number);
  }
  bool isNull() const { return is(JsonKind::kNull); }
  bool isNumber() const { return is(JsonKind::kNumber); }
  bool isObject() const { return is(JsonKind::kObject); }
  bool isString() const { return is(JsonKind::kString); }

 private:
  bool is(JsonKind kind) const {
    value_.spend(1);
    return value_.json.is(kind);
  }
  template <class T>
  static bool put(T& place, T value) {
    place = value;
    return true;
  }

  SchemaValue value_;
};

class SchemaAdapter
    : public valijson::adapters::BasicAdapter<SchemaAdapter, SchemaArray, SchemaMember,
                                              SchemaObject, SchemaReader> {
 public:
  explicit SchemaAdapter(const SchemaValue& value) : BasicAdapter(SchemaReader(value)) {}
};

template <>
inline SchemaAdapter SchemaIterator<SchemaAdapter>::operator*() const {
  container_.spend(1);
  return SchemaAdapter(container_.at(index_));
}

template <>
inline SchemaMember SchemaIterator<SchemaMember>::operator*() const {
  container_.spend(1);
  return {std::string(container_.json.key(index_)), SchemaAdapter(container_.at(index_))};
}

// A schema's own value to compare with; its document outlives it.
class FrozenSchemaValue : public valijson::adapters::FrozenValue {
 public:
  explicit FrozenSchemaValue(JsonValue value) : value_(value) {}
  valijson::adapters::FrozenValue* clone() const override { return new FrozenSchemaValue(value_); }
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override {
    return SchemaAdapter(SchemaValue{value_, nullptr}).equalTo(other, strict);
  }

 private:
  JsonValue value_;
};

inline valijson::adapters::FrozenValue* SchemaReader::freeze() const {
  return new FrozenSchemaValue(value_.json);
}

}  // namespace signet::wire

template <>
struct valijson::adapters::AdapterTraits<signet::wire::SchemaAdapter> {
  using DocumentType = signet::wire::SchemaValue;
  static std::string adapterName() { return "SchemaAdapter"; }
};
