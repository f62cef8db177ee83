// The commands, one function a file (command_NOUN.cc): each adds its part of the tree.
#pragma once

#include "signet/commands/command_tree.h"
#include "signet/commands/context.h"

namespace signet::cli {

void add_keygen(CommandTree& tree);
void add_mesh(CommandTree& tree);
void add_invite(CommandTree& tree);
void add_join(CommandTree& tree);  // join, leave
void add_send(CommandTree& tree);
void add_listen(CommandTree& tree);
void add_inbox(CommandTree& tree);
void add_peers(CommandTree& tree);
void add_status(CommandTree& tree);  // status, summary
void add_member(CommandTree& tree);
void add_secret(CommandTree& tree);
void add_token(CommandTree& tree);  // key, issue, show, verify, revoke
void add_channel(CommandTree& tree);
void add_topic(CommandTree& tree);  // pub, sub, history, list
void add_dead(CommandTree& tree);
void add_job(CommandTree& tree);    // submit, list, show, cancel, retry; engine list
void add_audit(CommandTree& tree);  // audit_check.cc; audit.cc: what asks the broker
void add_audit_reading(CommandTree& tree, CLI::App& noun);
void add_node(CommandTree& tree);                          // register, run, rekey, show
void add_node_viewing(CommandTree& tree, CLI::App& noun);  // node list, explain, export, forget
void add_epoch(CommandTree& tree);                         // show, rotate
void add_revoke_together(CommandTree& tree);               // revoke propose, sign, apply, list
void add_policy(CommandTree& tree);
void add_explain(CommandTree& tree);
void add_mcp(CommandTree& tree);
void add_relay(CommandTree& tree);  // keygen, listen, send
void add_bench(CommandTree& tree);
void add_doctor(CommandTree& tree);
void add_completion(CommandTree& tree);
void add_reference(CommandTree& tree);  // hidden: it writes docs/commands.md
void add_version(CommandTree& tree);
void add_demo(CommandTree& tree);

}  // namespace signet::cli
