// Overloaded is one visitor of a variant, made of a lambda for each of its kinds.
#pragma once

namespace signet {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 does not derive it

}  // namespace signet
