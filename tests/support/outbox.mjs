// What services have told, as it lies in the outbox's tables: numbered messages in the order of
// their numbers, then those without one in the order of their commits.

const linesOf = (rows) => rows.flatMap(({ lines }) => lines.split('\n').slice(0, -1));
const absent = { tenantId: '', subjectVersion: 0, onBehalfOf: '', requestId: '', decisionId: '', argumentDigest: '', clientAddress: '' };

export function numberedMessages(database) {
    return linesOf(database.rows('SELECT lines FROM platform_outbox_numbered ORDER BY through, kind')).map((line) => {
        const [, sequence, prevHash, json] = /^(\d+) (\S*) (.*)$/.exec(line);
        return { ...absent, ...JSON.parse(json), sequence: Number(sequence), prevHash, line };
    }).sort((a, b) => a.sequence - b.sequence);
}

export function postedMessages(database) {
    return linesOf(database.rows('SELECT lines FROM platform_outbox_posted ORDER BY posting_id'))
        .map((line) => ({ ...absent, ...JSON.parse(line.slice(line.indexOf(' ') + 1)) }));
}

// Posted ones first: what gets its number in between is seen twice, not missed.
export function allMessages(database) {
    const posted = postedMessages(database);
    const numbered = numberedMessages(database);
    const seen = new Set(numbered.map(({ messageId }) => messageId));
    return [...numbered, ...posted.filter(({ messageId }) => !seen.has(messageId))];
}
