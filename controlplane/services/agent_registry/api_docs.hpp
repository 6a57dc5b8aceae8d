#pragma once

// What the OpenAPI document says about the structs of /v1/agents. Included by api.cpp only.

#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/vm_registry/inventory_docs.hpp"

namespace synapsex::api {

template <>
inline constexpr Doc kDocOf<agent_registry::CreateEnrollmentToken>{
    "An enrollment token to be made.",
    {{{"name", "What it is for.", R"("web servers")"},
      {"uses", "How many agents it may enroll.", "1"},
      {"ttl_seconds", "Seconds until it expires.", "3600"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::EnrollmentToken>{
    "An enrollment token, without its secret.",
    {{{"id", "The token."},
      {"name", "What it is for.", R"("web servers")"},
      {"uses_max", "How many agents it may enroll.", "1"},
      {"uses", "How many it has enrolled.", "0"},
      {"created_at", "When it was made."},
      {"expires_at", "When it stops to work."},
      {"revoked_at", "When it was revoked; null: it was not."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::CreatedEnrollmentToken>{
    "A new enrollment token, with its secret.",
    {{{"id", "The token."},
      {"name", "What it is for.", R"("web servers")"},
      {"uses_max", "How many agents it may enroll.", "1"},
      {"created_at", "When it was made."},
      {"expires_at", "When it stops to work."},
      {"token", "What the agent needs: sxe_, id and secret, and where the control plane has a "
                "certificate of its own, the hash of its authority's public key. Shown here and "
                "never again.",
       R"("sxe_01jgjz2m1xq3v5n8b7w6t4r2e0.6f1uZb3Q8hT0yXo2WmK4sLr9CvAe7DnJ")"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::ListEnrollmentTokens>{
    "Which page of enrollment tokens.",
    {},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<agent_registry::EnrollmentTokenPage>{
    "Enrollment tokens, oldest first.",
    {{{"items", "The tokens."}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<agent_registry::EnrollmentTokenPath>{
    "An enrollment token.", {{{"token_id", "The token."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::Enroll>{
    "An agent that wants an identity.",
    {{{"token", "An enrollment token."},
      {"name", "What the VM will be called.", R"("web-1")"},
      {"public_key", "Ed25519 public key, the raw 32 bytes in base64url.",
       R"("PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw")"},
      {"boot_id", "Changes with each start of the VM."},
      {"agent_version", "Version of the agent.", R"("0.1.0")"},
      {"platform", "What the agent was built for.", R"("linux")"},
      {"tenant_id", "Where it is given, the token has to be of this tenant."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::Enrolled>{
    "The identity of an agent.",
    {{{"agent_id", "The agent."},
      {"vm_id", "Its VM."},
      {"tenant_id", "Its tenant."},
      {"issuer", "The audience of the agent's assertions.", R"("https://api.synapsex.ai")"},
      {"server_incarnation", "Changes when the server is restored from a backup."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::ProveTime>{
    "An agent that wants to know the time.",
    {{{"nonce", "32 random bytes in base64url, new with each request.",
       R"("PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw")"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::ProvenTime>{
    "The present. The signature is over the lines synapsex-time-v1, nonce, and the microseconds "
    "since 1970, each with a line feed at its end.",
    {{{"time", "The server's clock."},
      {"public_key", "Of the authority, DER of the SubjectPublicKeyInfo in base64url: its SHA-256 "
                     "is what agents pin."},
      {"signature", "By the authority's key with SHA-256, ECDSA in DER, in base64url."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::AgentConfig>{
    "What an AI task may use on this VM. Empty so far."
};
template <>
inline constexpr Doc kDocOf<agent_registry::AgentKey>{
    "The Ed25519 key that an agent proves itself with. Ids are the first 16 characters of the RFC "
    "7638 thumbprint.",
    {{{"id", "The key.", R"("kPrK_qmxVWaYVA9w")"},
      {"since", "Since when it is the key."},
      {"next_id", "The key that follows it once the agent has used it; null: none."},
      {"wanted_at", "Since when an operator wants another one; null: nobody does."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::KeyWanted>{
    "The agent is told with its next heartbeat.",
    {{{"agent_id", "The agent."},
      {"key_id", "The key that is to be replaced.", R"("kPrK_qmxVWaYVA9w")"},
      {"wanted_at", "Since when it is wanted."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::PutKey>{
    "A key that follows another. Both signatures are over the lines synapsex-agent-key-v1, the "
    "agent's id, the issuer, formerKeyId and publicKey, each with a line feed at its end.",
    {{{"agent_id", "The agent; the caller."},
      {"public_key", "Ed25519 public key, the raw 32 bytes in base64url.",
       R"("PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw")"},
      {"former_key_id", "The key that it replaces.", R"("kPrK_qmxVWaYVA9w")"},
      {"signature", "By the key that is replaced, 64 bytes in base64url."},
      {"proof", "By the new key, 64 bytes in base64url."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::KeyTaken>{
    "The key is registered.",
    {{{"key_id", "The new key.", R"("kPrK_qmxVWaYVA9w")"},
      {"former_key_id", "The one that it replaces."},
      {"former_key_until", "Until then at most the former one counts as well."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::Agent>{
    "An agent: the daemon on a VM.",
    {{{"id", "The agent."},
      {"name", "The name of its VM.", R"("web-1")"},
      {"vm_id", "Its VM."},
      {"type", "The kind of agent; so far always vm.", R"("vm")"},
      {"model", "The model of AI tasks on this VM; null: none is set."},
      {"tools", "The tools of AI tasks on this VM.", "[]"},
      {"status", "How it is doing.", R"("online")"},
      {"description", "What an operator wrote of it."},
      {"config", "Settings of AI tasks on this VM."},
      {"version", "Version of the agent.", R"("0.1.0")"},
      {"capabilities", "Numbers of the agent protocol's capabilities.", "[1, 2, 3]"},
      {"key", "What it proves itself with."},
      {"pause", "No work starts on its VM; null: there is no pause."},
      {"last_seen_at", "When it was last heard of; null: never."},
      {"created_at", "When it was enrolled."},
      {"updated_at", "When its name or description last changed."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::ListAgents>{
    "Which agents.",
    {{{"cursor", "From the Link header of the page before; left out for the first."},
      {"status", "Only agents in this state.", R"("online")"}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<agent_registry::AgentPath>{"An agent.", {{{"agent_id", "The agent."}}}};
template <>
inline constexpr Doc kDocOf<agent_registry::UpdateAgent>{
    "What to change about an agent.",
    {{{"agent_id", "The agent."},
      {"name", "The new name of it and its VM; left out, it stays.", R"("db-1")"},
      {"description", "The new description; left out, it stays.", R"("primary database")"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::Removed>{
    "The agent is gone.", {{{"success", "Always true.", "true"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::SectionHash>{
    "Which state of a section the agent has.",
    {{{"section", "The section.", R"("packages")"},
      {"hash", "Of the section as it would be sent."}}}};
template <>
inline constexpr Doc kDocOf<agent_registry::VmPause>{
    "A local administrator has stopped work on the VM; only there can it be ended.",
    {{{"since", "When it began, by the VM's clock; null: not known."},
      {"until", "When it ends by itself; null: not."},
      {"reason", "What the administrator said; cut after 200 bytes.", R"("disk swap")"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::Heartbeat>{
    "A sign of life, with what changed since the last.",
    {{{"agent_id", "The agent; the caller."},
      {"sequence", "One more with each heartbeat.", "42"},
      {"boot_id", "Changes with each start of the VM."},
      {"agent_version", "Version of the agent.", R"("0.1.0")"},
      {"capabilities", "Numbers of the agent protocol's capabilities.", "[1, 2, 3]"},
      {"hold_seconds", "How long the answer may be held; 0: not at all.", "55"},
      {"hashes", "Of the sections that changed."},
      {"telemetry", "What is not acknowledged yet, ascending by slot, at most 1000."},
      {"spool_dropped_samples", "Samples lost for want of room, since enrollment.", "0"},
      {"goodbye", "Why the agent leaves: stopping, rebooting; empty: it stays."},
      {"server_incarnation", "The last one that the agent saw."},
      {"executor", "ok or unreachable.", R"("ok")"},
      {"pause", "Absent: none."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::HeartbeatAnswer>{
    "What the agent is to do next.",
    {{{"server_time", "The server's clock."},
      {"server_incarnation", "Changes when the server is restored from a backup."},
      {"stored_through_slot",
       "Telemetry up to this slot is stored; 0: none came, or it has to wait.", "119698340"},
      {"want_sections", "Sections that the agent is to put.", R"(["packages"])"},
      {"next_after_ms", "Milliseconds to wait before the next heartbeat.", "0"},
      {"hold_seconds", "The longest hold that the server allows.", "55"},
      {"live_until", "Until then, one heartbeat a slot; null: nobody watches."},
      {"rotate_key", "The agent is to replace its key.", "false"},
      {"reason", "Why the answer came: timeout, news, superseded, draining.", R"("timeout")"}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::PutInventory>{
    "One section of the inventory, signed.",
    {{{"agent_id", "The agent; the caller."},
      {"section", "The section.", R"("os")"},
      {"content",
       "An InventorySection of the agent protocol with the member that the path names, "
       "serialized (protobuf), in base64url without padding.",
       R"("GgUIgICAAQ")"},
      {"signed_at", "When it was signed, within 5 minutes of this server's clock."},
      {"key_id", "Of the agent's key.", R"("n4bQgYhMfWWaL-qg")"},
      {"signature",
       "Ed25519, 64 bytes in base64url, over five lines: synapsex-inventory-v1, the agent, the "
       "section, signedAt in microseconds since 1970, the SHA-256 of the content in hex."}}}
};
template <>
inline constexpr Doc kDocOf<agent_registry::InventoryContent>{
    "One section of inventory: exactly the member that the path names.",
    {{{"truncated", "The VM has more than an agent may send.", "false"},
      {"os", "Operating system."},
      {"cpu", "Processors."},
      {"memory", "Memory."},
      {"disks", "Disks."},
      {"filesystems", "Local file systems."},
      {"network", "Network interfaces."},
      {"packages", "Packages."}}}
};

}  // namespace synapsex::api
