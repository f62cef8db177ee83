// Slab holds objects in numbered slots that are used again, each with a count of its uses, so that
// a (slot, use) pair names one object for ever and a stale pair finds nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace signet::net {

// Slab is owned by one thread. Objects never move; memory is kept for the next ones.
template <class T>
class Slab {
 public:
  // Constructs T(slot, use, args…).
  template <class... Args>
  T& add(Args&&... args) {
    if (free_.empty()) grow();
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Cell& cell = at(slot);
    if (++cell.use == 0) ++cell.use;  // 0 is nobody's
    ++size_;
    return cell.object.emplace(slot, cell.use, std::forward<Args>(args)...);
  }

  // REQUIRES: (slot, use) is there.
  void remove(std::uint32_t slot) {
    at(slot).object.reset();
    free_.push_back(slot);
    --size_;
  }

  T* find(std::uint32_t slot, std::uint32_t use) {
    if (slot / kChunk >= chunks_.size()) return nullptr;
    Cell& cell = at(slot);
    return cell.use == use && cell.object ? &*cell.object : nullptr;
  }

  // `visit` may not add or remove.
  template <class Visit>
  void each(Visit visit) {
    for (auto& chunk : chunks_) {
      for (Cell& cell : *chunk) {
        if (cell.object) visit(*cell.object);
      }
    }
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kChunk = 64;  // few allocations, little waste

  struct Cell {
    std::optional<T> object;
    std::uint32_t use = 0;
  };

  Cell& at(std::uint32_t slot) { return (*chunks_[slot / kChunk])[slot % kChunk]; }

  void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<std::array<Cell, kChunk>>());
    for (std::uint32_t i = kChunk; i > 0; --i) free_.push_back(first + i - 1);
  }

  std::vector<std::unique_ptr<std::array<Cell, kChunk>>> chunks_;
  std::vector<std::uint32_t> free_;  // used again last in, first out: warm memory first
  std::size_t size_ = 0;
};

}  // namespace signet::net
