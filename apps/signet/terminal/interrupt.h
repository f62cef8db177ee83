// Ctrl-C and SIGTERM end a command that stays, in order: what was shown is confirmed, what was not
// stays unread.
#pragma once

namespace signet::cli {

void catch_interrupts();  // call before a thread starts
bool is_interrupted();

}  // namespace signet::cli
