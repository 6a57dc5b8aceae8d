// Faults in platform/outbox.

const tests = ['synapsex_platform_outbox_test'];
const onPostgres = ['synapsex_platform_outbox_test on PostgreSQL'];
const at = (name) => `controlplane/platform/outbox/${name}`;

const consume = `    SYNAPSEX_CHECK(consume(consumer, call, batch.messages));
    parts_.on_step("consumed");
`;
const note = `    SYNAPSEX_CHECK(fenced<Done>(call, lease, [&](db::Session& session) -> Done {
        OutboxStore{session}.set_cursor(consumer.name(), batch.through);
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
        id: 'messages-are-taken-after-the-last-that-was-taken',
        file: at('outbox_store.cpp'),
        find: 'SELECT posting_id AS through, messages, size FROM platform_outbox_posted\n    ORDER BY',
        replace: `SELECT posting_id AS through, messages, size FROM platform_outbox_posted
    WHERE posting_id > (SELECT sequence FROM platform_outbox_head) ORDER BY`,
        why: 'what was written first and is committed last is never handed on',
        tests: onPostgres,
    },
    {
        id: 'a-stream-starts-again-with-the-step-that-was-had-last',
        file: at('outbox_store.cpp'),
        find: 'WHERE through > $1 AND kind IN ($2, $3) GROUP BY through ORDER BY through LIMIT $4',
        replace: 'WHERE through >= $1 AND kind IN ($2, $3) GROUP BY through ORDER BY through LIMIT $4',
        why: 'a consumer never comes further: its last step is handed on again and again',
        tests,
    },
    {
        id: 'postings-are-numbered-as-the-statement-returns-them',
        file: at('outbox_store.cpp'),
        find: 'std::ranges::sort(postings, {}, &Posting::posting_id);',
        replace: 'std::ranges::sort(postings, std::greater{}, &Posting::posting_id);',
        why: 'a resource is renamed before it is made',
        tests,
    },
    {
        id: 'a-consumer-gets-the-kinds-of-a-step-one-after-the-other',
        file: at('outbox_store.cpp'),
        find: 'std::ranges::sort(messages, {}, &NumberedMessage::sequence);',
        replace: '',
        why: 'an event overtakes the change that it follows from',
        tests,
    },
    {
        id: 'a-consumer-has-come-to-its-last-message-not-to-the-end-of-the-step',
        file: at('relay.cpp'),
        find: 'OutboxStore{session}.set_cursor(consumer.name(), batch.through);',
        replace: 'OutboxStore{session}.set_cursor(consumer.name(), batch.messages.back().sequence);',
        why: 'steps of several kinds are never removed',
        tests,
    },
    {
        id: 'messages-of-an-earlier-release-stay-where-they-were',
        file: at('earlier_outbox.cpp'),
        find: 'DELETE FROM platform_outbox WHERE message_id = $1',
        replace: "UPDATE platform_outbox SET type = 'moved' WHERE message_id = $1",
        why: 'they are numbered again and again',
        tests,
    },
    {
        id: 'a-consumer-is-shown-messages-of-other-streams',
        file: at('outbox_store.cpp'),
        find: 'WHERE through > $1 AND kind IN ($2, $3) AND through <= $4 ORDER BY through',
        replace: 'WHERE through > $1 AND kind NOT IN ($2 || '-', $3 || '-') AND through <= $4 ORDER BY through',
        why: 'webhooks get audit records',
        tests,
    },
    {
        id: 'a-step-without-messages-of-a-stream-stops-its-consumer',
        file: at('outbox_store.cpp'),
        find: 'WHERE through > $1 AND kind IN ($2, $3) GROUP BY through',
        replace: 'WHERE through > $1 AND kind NOT IN ($2 || '-', $3 || '-') GROUP BY through',
        why: 'after one step of audit records alone no event is handed on any more',
        tests,
    },
    {
        id: 'the-lag-is-that-of-the-newest-message',
        file: at('outbox_store.cpp'),
        find: 'SELECT lines FROM platform_outbox_posted ORDER BY posting_id LIMIT 1',
        replace: 'SELECT lines FROM platform_outbox_posted ORDER BY posting_id DESC LIMIT 1',
        why: 'nobody hears that messages wait for hours',
        tests,
    },
    {
        id: 'what-an-earlier-release-leaves-later-is-not-looked-for',
        file: at('relay.cpp'),
        find: 'has_earlier_ = !EarlierOutbox{session}.is_empty();',
        replace: '',
        why: 'what was changed through the old replica during an upgrade is in no audit log',
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
        find: 'for (numbered = 1; numbered > 0 && !is_expired(call);) {',
        replace: 'if (!is_expired(call)) {',
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
        find: 'GROUP BY through ORDER BY through LIMIT $6',
        replace: 'GROUP BY through ORDER BY through DESC LIMIT $6',
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
        file: at('numbering.cpp'),
        find: 'numbered_line(++head_.sequence, head_.hash, json)',
        replace: 'numbered_line(++head_.sequence, "", json)',
        why: 'a message that is changed or taken out afterwards does not show',
        tests,
    },
    {
        id: 'text-in-a-message-is-not-quoted',
        file: at('message.cpp'),
        find: 'api::append_quoted(json, text);',
        replace: "json += '\"'; json += text; json += '\"';",
        why: 'a name with a quote in it stops the relay',
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
