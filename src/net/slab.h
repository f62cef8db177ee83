// Slab holds objects in numbered slots that are used again, each with a count of its uses, so that
// a (slot, use) pair names one object for ever and a stale pair finds nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
    T& object = *std::construct_at(&cell.object, slot, cell.use, std::forward<Args>(args)...);
    cell.there = true;
    return object;
  }

  // REQUIRES: (slot, use) is there.
  void remove(std::uint32_t slot) {
    at(slot).clear();
    free_.push_back(slot);
    --size_;
  }

  T* find(std::uint32_t slot, std::uint32_t use) {
    if (slot / kChunk >= chunks_.size()) return nullptr;
    Cell& cell = at(slot);
    return cell.use == use && cell.there ? &cell.object : nullptr;
  }

  // `visit` may not add or remove.
  template <class Visit>
  void each(Visit visit) {
    for (auto& chunk : chunks_) {
      for (Cell& cell : *chunk) {
        if (cell.there) visit(cell.object);
      }
    }
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kChunk = 64;  // few allocations, little waste

  // A std::optional would take a word for its flag.
  struct Cell {
    Cell() {}
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;
    ~Cell() { clear(); }
    void clear() {
      if (!there) return;
      there = false;
      std::destroy_at(&object);
    }
    union {
      T object;
    };
    std::uint32_t use = 0;
    bool there = false;
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
