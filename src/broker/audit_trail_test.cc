// What the log has of admissions and refusals.
#include <algorithm>

#include "broker/tokens_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class Trail : public TokenStory {
 protected:
  Trail() {
    log_ = std::make_shared<const store::LogIdentity>(store::LogIdentity{
        "signet/test", crypto::SecretKey::from_seed({1}), audit::Pseudonyms(std::string(32, 'p'))});
  }
  // What was logged since the last look, after a second.
  std::vector<std::string> logged() {
    clock_.advance(1s);
    settle();
    std::vector<std::string> words;
    for (const audit::Draft& draft : std::exchange(store_.logged, {})) {
      words.push_back(std::string(audit::name_of(draft.event)) + " " + draft.code + " " +
                      std::to_string(draft.count));
    }
    std::sort(words.begin(), words.end());
    return words;
  }
  using Words = std::vector<std::string>;
};

TEST_F(Trail, TellsWhoCameWhoWasRefusedAndWhoseSessionWasEnded) {
  start();
  EXPECT_EQ(logged(), Words{});
  come("gauge", with_id("gauge", "t-1"));
  peer("ann", 1);
  answer(hello("gauge", "a.b.c"));
  EXPECT_TRUE(store_.logged.empty()) << "not before a second";
  EXPECT_EQ(logged(), (Words{"admitted key 1", "admitted token 1", "refused bad_token 1"}));
  ASSERT_TRUE(revoke({"t-1", "", {}, clock_.wall() + 2h}).ok());
  EXPECT_EQ(logged(), Words{"ended token_revoked 1"});
  come_by_certificate("sage");
  EXPECT_EQ(logged(), Words{"admitted certificate 1"});
}

TEST_F(Trail, NamesMembersAndAddressesByPseudonymsOnly) {
  put_keyless(20, "gauge");
  start();
  come("gauge", token("gauge"));
  answer(hello("sage", "a.b.c"));
  clock_.advance(1s);
  settle();
  ASSERT_EQ(store_.logged.size(), 2U);
  EXPECT_EQ(store_.logged[0].subject, log_->pseudonyms.of_member({20}));
  EXPECT_EQ(store_.logged[0].mesh, MeshNumber{1});
  EXPECT_TRUE(audit::is_pseudonym(store_.logged[1].subject));
  EXPECT_NE(store_.logged[1].subject, store_.logged[0].subject);
}

TEST_F(Trail, TakesManyOfAKindTogether) {
  start();
  for (int i = 0; i < 7; ++i) answer(hello("gauge", "a.b.c"));
  EXPECT_EQ(logged(), Words{"refused bad_token 1"});
  clock_.advance(options_.audit.tally.window);
  EXPECT_EQ(logged(), Words{"refused bad_token 6"});
}

TEST_F(Trail, HasTheCertificatesThatTlsRefused) {
  start();
  net::ConnectionEvents& events = *brokers_[1];
  const net::PeerAddress stranger = connect().peer_address;
  for (int i = 0; i < 3; ++i) events.on_certificate_refused(stranger, "certificate");
  EXPECT_EQ(logged(), Words{"refused certificate 1"});
  clock_.advance(options_.audit.tally.window);
  EXPECT_EQ(logged(), Words{"refused certificate 2"});
}

TEST_F(Trail, CountsWhatTheLogCouldNotTakeAndTrafficGoesOn) {
  store_.append_answers = {Error{ErrorCode::kOverloaded, "full"}};
  start();
  come("gauge", token("gauge"));
  answer(hello("gauge", "a.b.c"));
  answer(hello("gauge", "a.b.c"));
  EXPECT_EQ(logged(), Words{});
  EXPECT_EQ(metric("signet_audit_dropped_total"), 2);
  come("sage", token("sage"));
  EXPECT_EQ(logged(), Words{"admitted token 1"});
  EXPECT_EQ(metric("signet_audit_dropped_total"), 2);
}

TEST_F(Trail, RefusalsAlone) {
  options_.audit.admissions = false;
  start();
  come("gauge", token("gauge"));
  answer(hello("gauge", "a.b.c"));
  EXPECT_EQ(logged(), Words{"refused bad_token 1"});
}

TEST_F(Trail, NothingOfTraffic) {
  options_.audit.admissions = false;
  options_.audit.refusals = false;
  start();
  come("gauge", token("gauge", 5s));
  answer(hello("gauge", "a.b.c"));
  clock_.advance(5s);
  EXPECT_EQ(logged(), Words{});
}

TEST_F(Trail, WithoutALogNothingIsKept) {
  log_ = nullptr;
  start();
  come("gauge", token("gauge"));
  EXPECT_EQ(logged(), Words{});
  EXPECT_EQ(metric("signet_audit_dropped_total"), 0);
}

TEST_F(Trail, TheEndLeavesNothingUnwritten) {
  start();
  come("gauge", token("gauge"));
  for (int i = 0; i < 3; ++i) answer(hello("gauge", "a.b.c"));
  for (auto& broker : brokers_) broker->flush_trail();
  settle();
  std::int64_t count = 0;
  for (const audit::Draft& draft : store_.logged) count += draft.count;
  EXPECT_EQ(count, 4);
}

}  // namespace
}  // namespace signet::broker
