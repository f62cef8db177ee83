// Pulses out: to each who may hear them, once, encoded once for each format.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/topic_desk.h"
#include "dialects/pulse_text.h"
#include "wire/websocket_frame.h"

namespace signet::broker {

using trust::Action;

namespace {

constexpr std::size_t kStepsPerDelivery = 8;  // a look at a node costs some 60 ns, a write 500

}  // namespace

// One pulse on its way round this shard's listeners.
struct TopicDesk::Round {
  using Frame = std::shared_ptr<const std::string>;

  // Of a shard's listeners few differ in what they may: the policy is asked once for each kind.
  struct Verdict {
    trust::Roles roles;
    trust::Proof proof;
    const char* heard_on;
    bool allowed;
  };
  std::vector<std::pair<const dialects::Dialect*, Frame>> frames;
  std::vector<Verdict> verdicts;
  std::int64_t receivers = 0;

  const Frame& frame_for(const dialects::Dialect& dialect, const routing::Pulse& pulse) {
    for (const auto& [known, frame] : frames) {
      if (known == &dialect) return frame;
    }
    std::string frame;
    wire::append_frame(frame, wire::Opcode::kText, dialect.write(dialects::PulseOut{pulse}));
    return frames.emplace_back(&dialect, std::make_shared<const std::string>(std::move(frame)))
        .second;
  }
};

TopicDesk::Outgoing& TopicDesk::outgoing_to(std::uint32_t shard) {
  if (outgoing_.size() <= shard) outgoing_.resize(core_.shared().brokers.size());
  Outgoing& outgoing = outgoing_[shard];
  if (outgoing.drafts.empty() && outgoing.pulses.empty()) waiting_.push_back(shard);
  return outgoing;
}

void TopicDesk::on_turn_end() {
  for (const std::uint32_t shard : std::exchange(waiting_, {})) {
    Broker& to = *core_.shared().brokers[shard];
    auto bundle = std::make_shared<Outgoing>(std::exchange(outgoing_[shard], {}));
    to.mailbox().post([&to, bundle] {
      to.topics().number(std::move(bundle->drafts));
      to.topics().deliver(bundle->pulses);
    });
  }
}

void TopicDesk::spread(const NumberedPulse& pulse) {
  const std::uint32_t here = core_.shard().index();
  for (std::uint32_t shard = 0; shard < core_.shared().brokers.size(); ++shard) {
    if (shard != here) outgoing_to(shard).pulses.push_back(pulse);
  }
  deliver_one(pulse);
}

void TopicDesk::deliver(const std::vector<NumberedPulse>& pulses) {
  for (const NumberedPulse& pulse : pulses) deliver_one(pulse);
}

void TopicDesk::deliver_one(const NumberedPulse& pulse) {
  static const routing::RoutingTable kNowhereElse;
  Round round;
  const MeshNumber mesh = pulse.pulse->mesh;
  const std::size_t steps = hub_.each_hearer(
      mesh, pulse.pulse->topic, pulse.routed ? *core_.rules_of(mesh).routes : kNowhereElse,
      [&](Session& session, std::string_view heard_on) {
        return hears(session, heard_on, pulse, round);
      });
  core_.shared().metrics.pulse_deliveries.add(round.receivers);
  // Looking for hearers is work too, if less than writing to one.
  const std::int64_t work =
      std::max(round.receivers, static_cast<std::int64_t>(steps / kStepsPerDelivery));
  if (work > 0) core_.shared().deliveries.charge(pulse.payer, core_.shard().now(), work);
}

// True when the session is done with this pulse: it got it, or must not get it by whatever way.
bool TopicDesk::hears(Session& session, std::string_view heard_on, const NumberedPulse& pulse,
                      Round& round) {
  if (session.state != SessionState::kAdmitted) return true;
  if (session.connection.id() == pulse.origin) return true;
  const auto known =
      std::find_if(round.verdicts.begin(), round.verdicts.end(), [&](const Round::Verdict& each) {
        return each.roles == session.roles && each.proof == session.proof &&
               each.heard_on == heard_on.data();
      });
  bool allowed = known != round.verdicts.end() && known->allowed;
  if (known == round.verdicts.end()) {
    // Where it is routed to, the right to hear that topic counts; but a rule that denies the
    // pulse's own topic is not gone round.
    allowed = core_.may(session, {Action::kSubscribe, heard_on}) &&
              !core_.decide(session, {Action::kSubscribe, pulse.pulse->topic}).by_deny_rule;
    round.verdicts.push_back({session.roles, session.proof, heard_on.data(), allowed});
  }
  if (!allowed) return false;
  hand_over(session, round.frame_for(session.dialect, *pulse.pulse));
  ++round.receivers;
  return true;
}

void TopicDesk::hand_over(Session& session, const std::shared_ptr<const std::string>& frame) {
  const bool is_late = session.listener.subscriptions->late != nullptr;
  const bool is_full = session.connection.queued_bytes() >= core_.shared().options.high_water_bytes;
  if (is_late || is_full) return keep_for_later(session, frame);
  if (session.connection.send_encoded(*frame) == net::Sent::kDropped)
    keep_for_later(session, frame);
}

// A slow reader keeps the latest; what it lost it can tell by the numbers.
void TopicDesk::keep_for_later(Session& session, const std::shared_ptr<const std::string>& frame) {
  auto& late = session.listener.subscriptions->late;
  if (late == nullptr) {
    late = std::make_unique<Listener::Late>();
    if (const auto repeated = slow_log_.take(0, core_.shard().now())) {
      log(LogLevel::kWarn, "consumer.slow",
          {{"who", core_.name_of_principal(session)},
           {"presence", session.presence_id()},
           {"peer", session.connection.peer().text()},
           {"queued_bytes", static_cast<std::int64_t>(session.connection.queued_bytes())},
           {"repeated", *repeated}});
    }
  }
  late->frames.push_back(frame);
  late->bytes += frame->size();
  const BrokerOptions& options = core_.shared().options;
  const auto is_too_much = [&] {  // the newest is kept, however long it is
    return late->frames.size() > options.late_pulses ||
           (late->bytes > options.high_water_bytes && late->frames.size() > 1);
  };
  while (is_too_much()) {
    late->bytes -= late->frames.front()->size();
    late->frames.pop_front();
    ++late->dropped;
    core_.shared().metrics.pulses_dropped.add();
  }
}

void TopicDesk::drop_late(Session& session) {
  const auto& mine = session.listener.subscriptions;
  if (mine == nullptr || mine->late == nullptr) return;
  core_.shared().metrics.pulses_dropped.add(static_cast<std::int64_t>(mine->late->frames.size()));
  mine->late.reset();
}

void TopicDesk::on_drained(Session& session) {
  if (session.listener.subscriptions == nullptr) return;
  auto& late = session.listener.subscriptions->late;
  if (late == nullptr) return;
  const std::size_t high_water = core_.shared().options.high_water_bytes;
  while (!late->frames.empty() && session.connection.queued_bytes() < high_water) {
    if (session.connection.send_encoded(*late->frames.front()) == net::Sent::kDropped) return;
    late->bytes -= late->frames.front()->size();
    late->frames.pop_front();
  }
  if (!late->frames.empty()) return;  // it is called again when that is written
  if (const auto repeated = caught_up_log_.take(0, core_.shard().now())) {
    log(LogLevel::kInfo, "consumer.caught_up",
        {{"who", core_.name_of_principal(session)},
         {"presence", session.presence_id()},
         {"dropped", static_cast<std::int64_t>(late->dropped)},
         {"repeated", *repeated}});
  }
  late.reset();
}

void TopicDesk::announce(MeshNumber mesh, const std::string& topic, const std::string& payload) {
  auto pulse = std::make_shared<routing::Pulse>();
  pulse->mesh = mesh;
  pulse->topic = topic;
  pulse->from = "signet";
  pulse->at = core_.shared().clock.wall();
  pulse->text = dialects::own_pulse(topic, payload, pulse->at);
  spread({std::move(pulse), {}, {}, false});
}

}  // namespace signet::broker
