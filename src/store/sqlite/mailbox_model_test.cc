// The whole mailbox against a model that is too simple to be wrong: what a random walk of publish,
// confirm, expire, requeue and restart leaves must be the same in both.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

struct Model {
  struct Message {
    std::int64_t sender, bytes;
    std::uint64_t id;
    WallTime due;
    std::set<std::int64_t> waiting;
    std::set<std::int64_t> dead{};
  };
  const StoreOptions& options;
  std::vector<Message> messages;  // in their order
  std::map<std::uint64_t, std::size_t> sent;

  template <class Of>
  std::int64_t sum(Of of) const {
    std::int64_t total = 0;
    for (const Message& m : messages) total += m.waiting.empty() ? 0 : of(m);
    return total;
  }
  bool full(std::int64_t member, std::int64_t bytes) const {
    const auto has = [&](const Message& m) { return m.waiting.contains(member); };
    return sum([&](auto& m) { return std::int64_t{has(m)}; }) + 1 > options.mailbox_messages ||
           sum([&](auto& m) { return has(m) ? m.bytes : 0; }) + bytes > options.mailbox_bytes;
  }
  bool too_many(std::int64_t sender, std::int64_t bytes) const {
    return sum([&](auto& m) { return std::int64_t{m.sender == sender}; }) + 1 >
               options.sender_messages ||
           sum([](auto& m) { return m.bytes; }) + bytes > options.mesh_bytes;
  }
  PublishAnswer publish(const Say& say, WallTime now) {
    if (sent.contains(say.id)) return {PublishOutcome::kDuplicate, sent[say.id]};
    const auto bytes = static_cast<std::int64_t>(say.body.size());
    std::set<std::int64_t> to;
    for (const std::int64_t member : say.to) {
      if (!full(member, bytes)) to.insert(member);
    }
    const std::size_t skipped = say.to.size() - to.size();
    if ((too_many(say.sender, bytes) && !to.empty()) || (to.empty() && say.to.size() == 1)) {
      return {PublishOutcome::kQuotaExceeded, 0, skipped};
    }
    sent[say.id] = to.size();
    messages.push_back({say.sender, bytes, say.id, now + options.message_ttl, to, {}});
    return {PublishOutcome::kStored, to.size(), skipped};
  }
  std::vector<std::uint64_t> mailbox(std::int64_t member) const {
    std::vector<std::uint64_t> ids;
    for (const Message& m : messages) {
      if (m.waiting.contains(member)) ids.push_back(m.id);
    }
    return ids;
  }
  void confirm(std::int64_t member, std::uint64_t id) {
    for (Message& m : messages) {
      if (m.id == id) m.waiting.erase(member);
    }
  }
  void expire(WallTime now) {
    for (Message& m : messages) {
      if (m.due > now) continue;
      m.dead.merge(m.waiting);
      m.waiting.clear();
    }
  }
  // How many went back, and how many found no room.
  std::pair<std::size_t, std::size_t> requeue(WallTime now) {
    std::pair<std::size_t, std::size_t> done;
    const std::size_t count = messages.size();
    for (std::size_t i = 0; i < count; ++i) {
      std::set<std::int64_t> back, dead = messages[i].dead;
      const Message& old = messages[i];
      for (const std::int64_t member : dead) {
        if (!full(member, old.bytes) && !too_many(old.sender, old.bytes)) back.insert(member);
      }
      done.first += back.size();
      done.second += dead.size() - back.size();
      for (const std::int64_t member : back) messages[i].dead.erase(member);
      if (back.empty()) continue;
      messages.push_back({old.sender, old.bytes, old.id, now + options.message_ttl, back, {}});
    }
    return done;
  }
};

class MailboxModelTest : public StoreTest {
 protected:
  std::vector<MailboxItem> items(std::int64_t member) {
    settle();
    return read({{member}, {}, {}, false, 1'000, 1 << 20}).items;
  }
  std::vector<std::uint64_t> ids(std::int64_t member) {
    std::vector<std::uint64_t> found;
    for (const MailboxItem& item : items(member)) {
      std::uint64_t id = 0;
      for (std::size_t i = 0; i < 8; ++i) id |= std::uint64_t{item.envelope->id[i]} << (8 * i);
      found.push_back(id);
    }
    return found;
  }
};

TEST_F(MailboxModelTest, HoldsWhatTheModelHolds) {
  constexpr unsigned kSeed = 8'842;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  options_.synchronous_full = false;  // it asks for what is true, not for what survives a power cut
  options_.mailbox_messages = 8;
  options_.mailbox_bytes = 200;
  options_.sender_messages = 12;
  options_.mesh_bytes = 900;
  options_.message_ttl = std::chrono::hours(1);
  open();
  membership::Mesh mesh;
  mesh.number = {1};
  std::vector<membership::Change> members{membership::MeshAdded{mesh}};
  for (std::int64_t number = 1; number <= 5; ++number) {
    membership::Member member{{number}, {1}, std::to_string(number), {}, "", {}, {}, {}, {}};
    member.standing = membership::Standing::kAdmitted;
    member.key.emplace().bytes[0] = static_cast<unsigned char>(number);
    members.push_back(membership::MemberAdded{member, {}});
  }
  ASSERT_TRUE(commit(members).ok());
  std::size_t requeued = 0;
  Model model{options_, {}, {}};
  std::map<PublishOutcome, int> outcomes;
  const auto told_enough = [&] {
    return outcomes[PublishOutcome::kStored] > 50 && outcomes[PublishOutcome::kDuplicate] > 20 &&
           outcomes[PublishOutcome::kQuotaExceeded] > 20 && requeued > 20;
  };
  for (int turn = 0; turn < 1'000 || !told_enough(); ++turn) {
    ASSERT_LT(turn, 10'000) << "the story no longer shows what it is for";
    const std::int64_t what = below(100);
    if (what < 60) {
      Say say{static_cast<std::uint64_t>(below(700)) + 1, {}};
      for (std::int64_t member = 1; member <= 5; ++member) {
        if (below(3) == 0) say.to.push_back(member);
      }
      // The same id is always the same content.
      say.body = std::string(say.id * 37 % 60, static_cast<char>('a' + say.id % 26));
      say.sender = static_cast<std::int64_t>(say.id % 3) + 1;
      const PublishAnswer expected = model.publish(say, clock_.wall());
      const PublishAnswer got = publish(say);
      ASSERT_EQ(got.outcome, expected.outcome) << "turn " << turn;
      ASSERT_EQ(got.queued, expected.queued) << "turn " << turn;
      ASSERT_EQ(got.skipped, expected.skipped) << "turn " << turn;
      ++outcomes[got.outcome];
    } else if (what < 90) {
      const std::int64_t member = below(5) + 1;
      const auto held = items(member);
      if (held.empty()) continue;
      const auto at = static_cast<std::size_t>(below(held.size()));
      model.confirm(member, model.mailbox(member)[at]);
      confirm(member, {held[at].number.value});
    } else if (what < 96) {
      clock_.advance(std::chrono::minutes(below(30)));
      sweep(clock_.wall());
      model.expire(clock_.wall());
    } else if (what < 98) {
      const auto done = thread_.ask<Result<Requeued>>([&](auto answer) {
        store_->requeue_dead({{1}, {}, 100'000}, thread_.mailbox(), answer);
      });
      const auto expected = model.requeue(clock_.wall());
      ASSERT_TRUE(done.ok());
      ASSERT_EQ(std::pair(done->requeued, done->full), expected) << "turn " << turn;
      requeued += done->requeued;
    } else {
      reopen();
    }
    const std::int64_t member = below(5) + 1;
    ASSERT_EQ(ids(member), model.mailbox(member)) << "turn " << turn;
  }
}

}  // namespace
}  // namespace signet::store::sqlite
