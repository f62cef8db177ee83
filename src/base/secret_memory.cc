#include "base/secret_memory.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <utility>

namespace signet {
namespace {

constexpr std::size_t kSmallestSlot = 32;    // a key
constexpr std::size_t kLargestSlot = 4'096;  // beyond it whole pages are no waste
constexpr std::size_t kSlabBytes = 64 << 10;
constexpr std::size_t kClasses =
    std::countr_zero(kLargestSlot) - std::countr_zero(kSmallestSlot) + 1;

std::size_t rounded_to_pages(std::size_t size) {
  constexpr std::size_t kPage = 4'096;
  return (size + kPage - 1) / kPage * kPage;
}

// Pages that no core holds. What can't be locked still serves: swap is the operator's to switch
// off.
unsigned char* map_pages(std::size_t size, bool lock) {
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  static_cast<void>(madvise(at, size, MADV_DONTDUMP));
  if (lock) static_cast<void>(mlock(at, size));
  return static_cast<unsigned char*>(at);
}

// Arena hands out slots of powers of two and never returns a slab. Its mutex is held for a few
// instructions, or for a system call when a slab is used up: copies of a secret end on any thread,
// and a mailbox to one of them would keep what is over for longer.
class Arena {
 public:
  unsigned char* take(std::size_t size) {
    const std::size_t of = class_of(size);
    const std::lock_guard lock(mutex_);
    if (free_[of] == nullptr) add_slab(of);
    Slot* const slot = std::exchange(free_[of], free_[of]->next);
    slot->next = nullptr;
    return reinterpret_cast<unsigned char*>(slot);
  }

  // REQUIRES: all its bytes are zero.
  void give_back(unsigned char* at, std::size_t size) {
    const std::size_t of = class_of(size);
    const std::lock_guard lock(mutex_);
    free_[of] = new (at) Slot{free_[of]};
  }

 private:
  struct Slot {
    Slot* next;
  };

  static std::size_t class_of(std::size_t size) {
    const std::size_t slot = std::bit_ceil(std::max(size, kSmallestSlot));
    return static_cast<std::size_t>(std::countr_zero(slot) - std::countr_zero(kSmallestSlot));
  }

  void add_slab(std::size_t of) {
    const std::size_t slot = kSmallestSlot << of;
    unsigned char* const slab = map_pages(kSlabBytes, true);
    for (std::size_t at = 0; at < kSlabBytes; at += slot) {
      free_[of] = new (slab + at) Slot{free_[of]};
    }
  }

  std::mutex mutex_;
  std::array<Slot*, kClasses> free_{};  // guarded by mutex_
};

// Never ended: secrets of static storage may outlive it.
Arena& arena() {
  static Arena& only = *new Arena;
  return only;
}

}  // namespace

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  at_ = size <= kLargestSlot ? arena().take(size) : map_pages(rounded_to_pages(size), false);
}

SecretBytes::SecretBytes(std::string_view text) : SecretBytes(text.size()) {
  std::copy(text.begin(), text.end(), at_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  SecretBytes taken(std::move(other));
  std::swap(at_, taken.at_);
  std::swap(size_, taken.size_);
  return *this;
}

SecretBytes::~SecretBytes() {
  if (at_ == nullptr) return;
  explicit_bzero(at_, size_);
  if (size_ <= kLargestSlot) {
    arena().give_back(at_, size_);
  } else {
    munmap(at_, rounded_to_pages(size_));
  }
}

std::string_view SecretBytes::text() const { return {reinterpret_cast<const char*>(at_), size_}; }

}  // namespace signet
