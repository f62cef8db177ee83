// Result<T> is how every fallible function answers: a value, or an Error that says what the
// caller can do about it. Exceptions are for constructors at startup; nothing throws after that.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace signet {

// ErrorCode groups failures by the caller's next move, not by where they happened.
enum class ErrorCode : unsigned char {
  kMalformed,     // the bytes break the protocol: close, never retry
  kUnauthorized,  // the identity is not proven: authenticate first
  kForbidden,     // the identity is proven, the policy says no: do not retry
  kNotFound,      // the named thing does not exist
  kConflict,      // someone changed it first: read again, then retry
  kOverloaded,    // a limit was hit: retry later
  kUnavailable,   // a dependency is down: retry later
  kBug,           // our fault: log loudly
};

// Error carries a code for programs and a detail for operators. The detail is logged, never
// sent to a peer: an error text must not become an oracle.
struct Error {
  ErrorCode code;
  std::string detail;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok(). Checked in every build: a broken promise ends the process, not the isolation.
  T& operator*() & { return *promised(std::get_if<0>(&state_)); }
  const T& operator*() const& { return *promised(std::get_if<0>(&state_)); }
  T&& operator*() && { return std::move(*promised(std::get_if<0>(&state_))); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  // REQUIRES: !ok().
  const Error& error() const { return *promised(std::get_if<1>(&state_)); }

 private:
  template <class P>
  static P* promised(P* p) {
    if (p == nullptr) std::abort();
    return p;
  }

  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;  // success has nothing to say: `return Done{};`

}  // namespace signet

// SIGNET_TRY(auto header, read_header(bytes)) names the value, or returns the error to the caller.
#define SIGNET_TRY(decl, ...) SIGNET_TRY_(decl, SIGNET_CAT_(signet_try_, __LINE__), __VA_ARGS__)
#define SIGNET_TRY_(decl, tmp, ...)  \
  auto tmp = (__VA_ARGS__);          \
  if (!tmp.ok()) return tmp.error(); \
  decl = *std::move(tmp)
#define SIGNET_CAT_(a, b) SIGNET_CAT2_(a, b)
#define SIGNET_CAT2_(a, b) a##b
