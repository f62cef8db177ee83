// The documents that hold where an operator wrote none, as the text that an operator could have
// written: they go through the same readers, and `signet policy show` prints them.
#pragma once

#include <string_view>

namespace signet::config {

// Of a mesh without a policy: members may do everything but administer and govern.
inline constexpr std::string_view kAllowMembersPolicy =
    R"(# The policy of a mesh that has none of its own: allow-members.
# An admitted member that proved itself may do everything but administer and govern.

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish", "subscribe", "send", "read_history", "see_presence", "dispatch"]

[[rule]]
id = "admins-administer"
roles = ["admin"]
allow = ["administer"]

# What Signet says there names rules, and who was refused what.
[[rule]]
id = "governance-is-for-admins"
except = ["admin"]
deny = ["publish", "subscribe", "read_history"]
topics = ["governance.>", "audit.>"]

# Whoever has the mesh's one secret may be anybody: only what is public anyway.
[[rule]]
id = "shared-secret-connects"
roles = ["shared"]
allow = ["connect"]

[[rule]]
id = "shared-secret-on-public-topics"
roles = ["shared"]
allow = ["publish", "subscribe", "read_history"]
topics = ["public.>"]

# The open relay: the owner of any key, where the mesh lets strangers in at all.
[[rule]]
id = "guests-connect"
roles = ["guest"]
allow = ["connect"]

[[rule]]
id = "guests-send-to-one"
roles = ["guest"]
allow = ["send"]
to = ["member"]

[[test]]
name = "a member publishes"
as = { proof = "key" }
action = "publish"
on = "mirror.intent"
expect = "allow"

[[test]]
name = "a member does not hear what was decided"
as = { proof = "key" }
action = "subscribe"
on = "governance.decision"
expect = "deny"
rule = "governance-is-for-admins"

[[test]]
name = "an admin does"
as = { proof = "key", admin = true }
action = "subscribe"
on = "governance.decision"
expect = "allow"

[[test]]
name = "the shared secret is no member"
as = { proof = "shared" }
action = "publish"
on = "mirror.intent"
expect = "deny"

[[test]]
name = "a guest reads nothing"
as = { roles = ["guest"] }
action = "see_presence"
expect = "deny"
)";

// Of the dev mesh: as above, but everybody on all topics: also with the shared secret, also on
// those of governance. No rates: nobody who tries things out wants to be slowed down.
// docs/policy.md has those that PulseMesh v1 declares.
inline constexpr std::string_view kDevPolicy =
    R"(# The policy of `signetd dev`. Not for production: whoever has the shared secret may publish and
# subscribe on every topic.

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish", "subscribe", "send", "read_history", "see_presence", "dispatch"]

[[rule]]
id = "admins-administer"
roles = ["admin"]
allow = ["administer"]

[[rule]]
id = "shared-secret-on-all-topics"
roles = ["shared"]
allow = ["connect", "publish", "subscribe", "read_history"]

[[rule]]
id = "shared-secret-from-node-to-node"
roles = ["shared"]
allow = ["send"]
to = ["node"]

[[rule]]
id = "guests-connect"
roles = ["guest"]
allow = ["connect"]

[[rule]]
id = "guests-send-to-one"
roles = ["guest"]
allow = ["send"]
to = ["member"]
)";

// The types of jobs of a mesh that names none: those of a world.
inline constexpr std::string_view kWorldJobTypes =
    R"(# The types of jobs that a world is built by. docs/hub.md says what may be here.

[[type]]
name = "BUILD_SCENE"
timeout = "15s"
retries = 2

[[type]]
name = "LOAD_ASSETS"
timeout = "15s"
retries = 2

[[type]]
name = "SPAWN_ENTITY"
timeout = "15s"
retries = 2
)";

}  // namespace signet::config
