#include "routing/pulsemesh_routes.h"

namespace signet::routing {

const RoutingDocument& pulsemesh_routes() {
  static const RoutingDocument kDocument{
      {
          {"mirror", {"mirror.intent", "mirror.update", "mirror.query"}},
          {"pulsemesh",
           {"system.genesis", "system.health_check", "system.health_response", "wake.node_ready"}},
          {"core", {"core.reply", "core.status", "core.ingest", "core.reasoning"}},
          {"sage", {"audit.log", "governance.decision", "governance.validate"}},
          {"kronos", {"kronos.index", "kronos.decay", "kronos.query", "kronos.query_result"}},
          {"shadow", {"shadow.provenance", "shadow.query", "shadow.query_result"}},
      },
      {
          {"mirror.intent", {"core", "sage", "pulsemesh"}},
          {"mirror.update", {"core", "pulsemesh"}},
          {"mirror.query", {"core"}},
          {"system.genesis", {"mirror", "core", "sage", "kronos", "shadow"}},
          {"system.health_check", {"mirror", "core", "sage", "kronos", "shadow"}},
          {"system.health_response", {"pulsemesh"}},
          {"wake.node_ready", {"pulsemesh"}},
          {"core.reply", {"mirror", "pulsemesh"}},
          {"core.status", {"mirror", "sage", "pulsemesh"}},
          {"core.ingest", {"sage", "kronos", "shadow"}},
          {"core.reasoning", {"mirror", "sage", "kronos"}},
          {"audit.log", {"core", "mirror", "shadow"}},
          {"governance.decision", {"core", "mirror", "shadow"}},
          {"governance.validate", {"sage"}},
          {"kronos.index", {"kronos"}},
          {"kronos.decay", {"core", "sage", "mirror"}},
          {"kronos.query", {"kronos"}},
          {"kronos.query_result", {"core", "mirror"}},
          {"shadow.provenance", {"shadow"}},
          {"shadow.query", {"shadow"}},
          {"shadow.query_result", {"core", "mirror"}},
      }};
  return kDocument;
}

}  // namespace signet::routing
