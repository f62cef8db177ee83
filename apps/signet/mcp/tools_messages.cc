// Sending, and showing what came.
#include <algorithm>
#include <thread>

#include "signet/mcp/message.h"
#include "signet/mcp/tools.h"
#include "signet/mcp/tools_internal.h"

namespace signet::mcp {

using wire::JsonWriter;

namespace {

Priority priority_of(std::string_view name) {
  if (name == "now") return Priority::kNow;
  return name == "low" ? Priority::kLow : Priority::kNext;
}

// The library knows the names that it has met; the broker is asked for others.
Result<std::string> put_into_outbox(McpMesh& mesh, Outgoing message,
                                    std::chrono::milliseconds lookup) {
  auto ticket = mesh.send(message);
  if (ticket.ok() || ticket.error().code != ErrorCode::kNotFound) return ticket;
  auto key = mesh.find(message.to, lookup);
  if (!key.ok()) return key.error();
  message.to = *std::move(key);
  return mesh.send(message);
}

JsonWriter sent(const McpMesh& mesh, std::string_view state, std::string_view to,
                std::string_view ticket) {
  JsonWriter out;
  out.object().key("state").value(state).key("mesh").value(mesh.slug());
  out.key("to").value(to).key("ticket").value(ticket);
  return out;
}

ToolOutcome queued(const McpMesh& mesh, std::string_view to, std::string_view ticket) {
  JsonWriter out = sent(mesh, "queued", to, ticket);
  out.key("note").value(
      "queued; it will be sent once when the broker is back, also by a later process. Do not send "
      "it again.");
  return answered(out.end().text());
}

ToolOutcome came_to(const McpMesh& mesh, const SendReport& report) {
  if (report.state == SendState::kRefused) {
    const std::string code = report.why.empty() ? "refused" : report.why;
    return failed(Error{ErrorCode::kForbidden, code + ": the broker refused the message"});
  }
  JsonWriter out = sent(mesh, "stored", report.to, report.ticket);
  out.key("message_id").value(report.message_id).key("recipients").value(report.recipients);
  out.key("note").value("stored: the broker has it on disk and delivers it once.");
  return answered(out.end().text());
}

}  // namespace

struct Tools::Addressed {
  McpMesh* mesh;
  std::string_view target;
};

// `slug:target`, or the target alone where one mesh is joined. `tag:x` and `#a:b` are targets.
Result<Tools::Addressed> Tools::address(std::string_view to) const {
  const std::size_t colon = to.find(':');
  const std::string_view before = to.substr(0, colon);
  const bool has_mesh = colon != std::string_view::npos && !to.starts_with('#') && before != "tag";
  if (has_mesh) {
    auto mesh = mesh_called(before);
    if (!mesh.ok()) return mesh.error();
    return Addressed{*mesh, to.substr(colon + 1)};
  }
  if (meshes_.size() == 1) return Addressed{meshes_.front(), to};
  return Error{ErrorCode::kMalformed, "mesh_needed: several meshes are joined: " + slugs()};
}

ToolOutcome Tools::send_message(const Call& call) {
  const auto began = Clock::now();
  const auto addressed = address(call.arguments.text("to"));
  if (!addressed.ok()) return failed(addressed.error());
  McpMesh& mesh = *addressed->mesh;
  await_connections({&mesh}, call);
  const Outgoing message{.to = std::string(addressed->target),
                         .text = std::string(call.arguments.text("message")),
                         .priority = priority_of(call.arguments.text("priority"))};
  turns_.await(call.control.turn, options_.turn);
  const auto ticket = put_into_outbox(mesh, message, options_.lookup);
  turns_.end(call.control.turn);
  if (!ticket.ok()) return failed(ticket.error());
  return follow(mesh, message, *ticket, began, call);
}

// Until the broker has it, or it is clear that this takes longer than an agent should wait. A
// cancelled call takes its message back where it still can: the agent may send it again.
ToolOutcome Tools::follow(McpMesh& mesh, const Outgoing& message, const std::string& ticket,
                          Clock::time_point began, const Call& call) const {
  while (true) {
    const auto report = mesh.wait_sent(ticket, SendState::kStored, options_.slice);
    if (report.ok()) return came_to(mesh, *report);
    const bool is_stopped = report.error().code == ErrorCode::kUnauthorized;
    if (report.error().code != ErrorCode::kOverloaded && !is_stopped) return failed(report.error());
    if (call.control.is_cancelled) {
      static_cast<void>(mesh.cancel(ticket));  // what was sent already stays sent
      return queued(mesh, message.to, ticket);
    }
    const ConnectionReport connection = mesh.connection();
    if (is_stopped || connection.state == ConnectionReport::State::kStopped) {
      if (!mesh.cancel(ticket).ok()) return queued(mesh, message.to, ticket);
      return failed(is_stopped ? report.error() : Error{ErrorCode::kUnauthorized, connection.why});
    }
    const bool is_there = connection.state == ConnectionReport::State::kConnected;
    const auto patience = is_there ? options_.send_connected : options_.send_away;
    if (Clock::now() - began >= patience || call.control.must_stop()) {
      return queued(mesh, message.to, ticket);
    }
  }
}

struct Tools::Batch {
  JsonWriter messages;
  std::size_t count = 0;
  bool has_more = false;
  std::vector<Lease> leases;
  std::optional<Error> failure;  // the last of the last look
  std::size_t failures = 0;

  // False when it has no room for this one.
  bool add(McpMesh& mesh, const Message& message, std::size_t max_bytes) {
    JsonWriter shown;
    write_message(shown, mesh.slug(), message);
    if (count > 0 && messages.text().size() + shown.text().size() > max_bytes) return false;
    messages.raw(shown.text());
    ++count;
    if (leases.empty() || leases.back().mesh != &mesh) leases.push_back({&mesh, {}});
    leases.back().ids.push_back(message.id);
    return true;
  }
};

void Tools::take_messages(Batch& batch, Milliseconds wait) const {
  const std::size_t first = first_mesh_++;
  batch.failures = 0;
  for (std::size_t i = 0; i < meshes_.size() && !batch.has_more; ++i) {
    McpMesh& mesh = *meshes_[(first + i) % meshes_.size()];
    const std::size_t room = options_.messages_per_answer - batch.count;
    if (room == 0) {
      batch.has_more = true;
      return;
    }
    auto read = mesh.read(room, meshes_.size() == 1 ? wait : Milliseconds{0});
    if (!read.ok()) {
      batch.failure = read.error();
      ++batch.failures;
      continue;
    }
    std::vector<std::string> no_room;
    for (const Message& message : *read) {
      if (!no_room.empty() || !batch.add(mesh, message, options_.bytes_per_answer)) {
        no_room.push_back(message.id);
      }
    }
    batch.has_more = !no_room.empty() || read->size() == room;
    if (!no_room.empty()) give_back({{&mesh, std::move(no_room)}});
  }
}

ToolOutcome Tools::show(Batch&& batch) const {
  if (batch.failures == meshes_.size()) return failed(*batch.failure);
  batch.messages.end();
  JsonWriter out;
  out.object().key("notice").value(batch.count == 0 ? "No new messages." : kTextIsData);
  write_key_changes(out, meshes_);
  out.key("messages").raw(batch.messages.text()).key("more").value(batch.has_more);
  write_meshes(out, meshes_);
  ToolOutcome outcome = answered(out.end().text());
  outcome.leases = std::move(batch.leases);
  return outcome;
}

ToolOutcome Tools::check_messages(const Call& call) {
  await_connections(meshes_, call);
  Batch batch;
  batch.messages.array();
  take_messages(batch, options_.settle);
  return show(std::move(batch));
}

ToolOutcome Tools::wait_for_messages(const Call& call) {
  const double seconds = call.arguments.seconds("timeout_seconds", options_.default_wait_seconds);
  const auto end = Clock::now() +
                   std::chrono::duration_cast<Milliseconds>(std::chrono::duration<double>(seconds));
  Batch batch;
  batch.messages.array();
  while (true) {
    const auto left = std::chrono::duration_cast<Milliseconds>(end - Clock::now());
    const auto look = std::clamp(left, Milliseconds{0}, options_.slice);
    take_messages(batch, look);
    if (batch.count > 0 || left <= look || call.control.must_stop()) break;
    // One mesh waits by itself while it is read.
    if (meshes_.size() > 1 || batch.failures > 0) std::this_thread::sleep_for(look);
  }
  return show(std::move(batch));
}

std::vector<Lease> Tools::confirm(std::vector<Lease> leases) {
  leases.erase(
      std::remove_if(leases.begin(), leases.end(),
                     [](const Lease& lease) { return lease.mesh->confirm(lease.ids).ok(); }),
      leases.end());
  return leases;
}

void Tools::give_back(const std::vector<Lease>& leases) {
  // What can't be given back now is free when the process ends.
  for (const Lease& lease : leases) static_cast<void>(lease.mesh->give_back(lease.ids));
}

}  // namespace signet::mcp
