// Faults in platform/outbox.

const tests = ['synapsex_platform_outbox_test'];
const onPostgres = ['synapsex_platform_outbox_test on PostgreSQL'];
const at = (name) => `controlplane/platform/outbox/${name}`;

const consume = `    SYNAPSEX_CHECK(consume(consumer, call, messages));
    parts_.on_step("consumed");
`;
const note = `    SYNAPSEX_CHECK(fenced<Done>(call, lease, [&](OutboxStore& store) -> Done {
        store.set_cursor(consumer.name(), messages.back().sequence);
        return {};
    }));
`;

export default [
    {
        id: 'a-message-tells-no-tenant',
        file: at('outbox.cpp'),
        find: '.tenant_id = call.tenant.text(),',
        replace: '.tenant_id = {},',
        why: 'events and audit records of all tenants are the installation\'s',
        tests,
    },
    {
        id: 'unnumbered-messages-are-read-after-the-last-id',
        file: at('outbox_store.cpp'),
        find: 'FROM platform_outbox WHERE sequence IS NULL ORDER BY message_id LIMIT $1',
        replace: `FROM platform_outbox WHERE message_id > COALESCE((
            SELECT MAX(message_id) FROM platform_outbox WHERE sequence IS NOT NULL), '')
        ORDER BY message_id LIMIT $1`,
        why: 'what got its id first and is committed last is never handed on',
        tests: onPostgres,
    },
    {
        id: 'a-stream-starts-again-with-the-message-that-was-had-last',
        file: at('outbox_store.cpp'),
        find: 'FROM platform_outbox WHERE sequence > $1 AND kind IN ($2, $3) ORDER BY sequence LIMIT $4',
        replace: 'FROM platform_outbox WHERE sequence >= $1 AND kind IN ($2, $3) ORDER BY sequence LIMIT $4',
        why: 'each run of the relay hands a message on again; a batch of one never ends',
        tests,
    },
    {
        id: 'changes-are-no-part-of-the-audit-stream',
        file: at('outbox_store.cpp'),
        find: 'return {MessageKind::change, MessageKind::audit};',
        replace: 'return {MessageKind::audit, MessageKind::audit};',
        why: 'the audit log has what only it has, and none of what happened',
        tests,
    },
    {
        id: 'the-fence-is-skipped-by-the-relay',
        file: at('relay.cpp'),
        find: 'if (!leases::LeaseStore{session}.fence(lease)) return leases::lease_lost();',
        replace: '',
        why: 'a relay that was stopped and wakes up gives numbers beside the new one',
        tests,
    },
    {
        id: 'the-relay-numbers-one-batch-and-stops',
        file: at('relay.cpp'),
        find: 'while (moved == parts_.limits.batch && !is_expired(call)) {',
        replace: 'if (moved == parts_.limits.batch && !is_expired(call)) {',
        why: 'after a busy hour messages arrive 500 at a time, each second',
        tests,
    },
    {
        id: 'the-cursor-is-noted-before-the-consumer-has-committed',
        file: at('relay.cpp'),
        find: consume + note,
        replace: note + consume,
        why: 'what a consumer refuses, or dies with, is lost to it',
        tests,
    },
    {
        id: 'a-message-is-removed-when-one-of-its-consumers-has-had-it',
        file: at('relay.cpp'),
        find: '*kind = std::min(*kind, through);',
        replace: '*kind = has_consumer ? through : std::min(*kind, none);',
        why: 'the event bus was down for a minute, so the audit log has it and nobody else',
        tests,
    },
    {
        id: 'the-cap-removes-what-a-consumer-is-to-have',
        file: at('relay.cpp'),
        find: 'SYNAPSEX_TRY(const auto through, find_through(call, INT64_MAX));',
        replace: 'const Through through{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};',
        why: 'a consumer that is down for long finds a gap',
        tests,
    },
    {
        id: 'the-cap-removes-one-batch-a-look',
        file: at('relay.cpp'),
        find: 'dropped_.add(static_cast<std::uint64_t>(removed));',
        replace: 'dropped_.add(static_cast<std::uint64_t>(removed)); break;',
        why: 'at more than 33 a second the outbox grows until the disk is full',
        tests,
    },
    {
        id: 'the-cap-removes-the-newest',
        file: at('outbox_store.cpp'),
        find: 'ORDER BY sequence LIMIT $6',
        replace: 'ORDER BY sequence DESC LIMIT $6',
        why: 'audit records of today go, those of last year stay',
        tests,
    },
    {
        id: 'a-consumer-that-throws-stops-the-relay',
        file: at('relay.cpp'),
        find: 'return Problem{Kind::internal, "outbox.consumer_failed", error.what()};',
        replace: 'throw;',
        why: 'one broken consumer keeps all others from their messages',
        tests,
    },
    {
        id: 'messages-are-not-chained',
        file: at('relay.cpp'),
        find: 'next.prev_hash = std::exchange(head.hash, {});',
        replace: 'next.prev_hash = {};',
        why: 'a message that is changed or taken out afterwards does not show',
        tests,
    },
    {
        id: 'a-hash-does-not-tell-where-a-member-ends',
        file: at('message.cpp'),
        find: '        text += std::to_string(part.size());\n',
        replace: '',
        why: 'a forger moves text from one member to the next under the same hash',
        tests,
    },
    {
        id: 'the-inbox-takes-a-message-again',
        file: at('inbox.cpp'),
        find: 'session_.execute(kAccept, consumer, message, session_.now()) == 1;',
        replace: 'session_.execute(kAccept, consumer, message, session_.now()) >= 0;',
        why: 'a relay that died after the consumer\'s commit makes it do all twice',
        tests,
    },
    {
        id: 'the-inbox-forgets-what-is-new',
        file: at('inbox.cpp'),
        find: 'WHERE seen_at < $1 ORDER BY seen_at LIMIT $2',
        replace: 'WHERE $1 > 0 ORDER BY seen_at LIMIT $2',
        why: 'a message that comes again within the hour is consumed again',
        tests,
    },
];
