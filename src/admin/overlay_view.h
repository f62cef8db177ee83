// OverlayView is what operators see of a mesh's overlay and do to it: its nodes with their inputs
// and decisions, everything that is kept of one, forgetting it, and the epoch.
// docs/operator-api.md.
//
//   GET nodes   GET nodes/NAME   GET nodes/NAME/export   POST nodes/NAME/forget
//   GET epoch   POST epoch/rotate   POST epoch/deny      all below meshes/SLUG/
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "admin/overlay_desk.h"
#include "broker/http_call.h"
#include "controller/epochs.h"
#include "net/connection.h"

namespace signet::admin {

struct OverlayViewOptions {
  std::size_t page = 100;        // nodes or reports of one answer unless asked
  std::size_t max_page = 1'000;  // and at most
  std::size_t export_bytes =
      384 << 10;                    // signed texts of one answer: escaped they fit a client's MiB
  std::size_t scores = 60;          // of the series that explains: an hour of a minute
  std::size_t waiting_names = 100;  // shown of those that the keys wait for, or who are behind
};

// Control thread.
class OverlayView {
 public:
  // Both must outlive it. `desk`: of the same mesh.
  OverlayView(const OverlayViewOptions& options, controller::Epochs& epochs, OverlayDesk& desk)
      : options_(options), epochs_(epochs), desk_(desk) {}

  // Is this what the path says behind the mesh?
  static bool is_for(std::string_view part) { return part == "nodes" || part == "epoch"; }
  bool is_of(MeshNumber mesh) const { return epochs_.mesh() == mesh; }

  // REQUIRES: is_for(part), is_of() the mesh, and an operator asks. `rest`: what is behind the
  // part.
  void answer(const broker::HttpCall& call, std::string_view part, std::string_view rest);

  // What stands in status.json now; no key and no secret is in it.
  static std::string status(const controller::Epochs& epochs);

 private:
  using Call = broker::HttpCall;

  void list(const Call& call);
  void explain(const Call& call, const overlay::Node& node);
  void export_node(const Call& call, const overlay::Node& node);
  void forget(const Call& call, const overlay::Node& node);
  void show_epoch(const Call& call);
  void rotate(const Call& call);
  void deny(const Call& call);

  const OverlayViewOptions options_;
  controller::Epochs& epochs_;
  OverlayDesk& desk_;
};

}  // namespace signet::admin
