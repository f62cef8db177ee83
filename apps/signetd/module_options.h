// Settings as the options of the modules: the one place that knows both.
#pragma once

#include <string>

#include "admin/admin.h"
#include "alerts/alert_desk.h"
#include "broker/broker_options.h"
#include "config/config.h"
#include "controller/controller.h"
#include "net/shard.h"
#include "store/store.h"

namespace signet {

struct ModuleOptions {
  net::NetOptions net;
  store::StoreOptions store;
  broker::BrokerOptions broker;
  controller::ControllerOptions controller;
  admin::AdminOptions admin;
  alerts::AlertOptions alerts;
  std::string socket;  // absolute path of the operator's Unix socket; empty: none
  std::size_t shards = 1;
};

ModuleOptions module_options(const config::Config& config, bool dev);

}  // namespace signet
