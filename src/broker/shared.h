// Shared is what the brokers of all shards have in common. Filled before the threads start; from
// then on it is read, but for the atomics inside and what the control thread alone touches.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/mailbox.h"
#include "broker/broker_options.h"
#include "broker/decision_log.h"
#include "broker/http_call.h"
#include "broker/hub_metrics.h"
#include "broker/member_signals.h"
#include "broker/rules.h"
#include "broker/shared_limits.h"
#include "controller/controller.h"
#include "crypto/relay_box.h"
#include "store/store.h"

namespace signet::broker {

class Broker;

struct Shared {
  // `its_log`: null where no log is kept.
  Shared(const BrokerOptions& its_options, store::Store& its_store, Mailbox& its_control,
         const Clock& its_clock, MetricRegistry& registry,
         std::shared_ptr<const store::LogIdentity> its_log = nullptr);

  // The shard that numbers the pulses of a mesh and keeps their history.
  Broker& home_of(MeshNumber mesh) const {
    return *brokers[static_cast<std::size_t>(mesh.value) % brokers.size()];
  }

  const BrokerOptions& options;
  store::Store& store;
  Mailbox& control;                              // the control thread's
  controller::Controller* controller = nullptr;  // used by tasks posted to `control` only
  const Clock& clock;
  const std::shared_ptr<const store::LogIdentity> log;
  const WallTime started;
  BrokerMetrics metrics;
  HubMetrics hub_metrics;
  PayerRates send_rates;
  MemberRates channel_rates;  // of channels that a member joins and leaves
  MemberRates hello_rates;
  MemberRates shared_hello_rates;  // of all who show a mesh's one secret
  PayerRates pulse_rates;
  PayerRates pulse_minutes;  // the same, counted over a minute
  PayerRates deliveries;     // what somebody's pulses cause
  MemberRates action_rates;  // of a user of Hub
  MemberLoads source_loads;
  MemberLoads hub_loads;  // sockets of a user of Hub
  MeshLoads loads;
  MeshLoads guest_loads;  // of strangers at an open relay
  HttpHandler http;
  std::shared_ptr<const Rules> rules;  // what a shard begins with; null: default_rules()
  crypto::RelaySecretKey relay_key = crypto::RelaySecretKey::generate();  // a kept one replaces it
  std::vector<Broker*> brokers;                                           // by shard
  DecisionLog decisions;                                                  // control thread only
  std::function<void(const SeenOfMembers&)> hear_signals;                 // likewise; may be empty
  AuditTrail control_trail;                                               // likewise
  std::atomic<bool> stopping{false};  // connections end because the daemon does
};

}  // namespace signet::broker
