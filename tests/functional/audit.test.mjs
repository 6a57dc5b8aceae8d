// The audit log: who did what, from where, in the order of its tenant, and nothing is missing.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually, freePort, temporaryFolder } from '../support/processes.mjs';

let controlPlane;
let owner;
let cli;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner } = controlPlane);
    cli = new Cli(controlPlane);
    await cli.login(controlPlane.credentials);
});
after(async () => { await controlPlane?.stop(); });

const list = (query = '', options = {}) => controlPlane.get(`/v1/audit?${query}`, { as: owner, ...options });
const entryOf = (query, plane = controlPlane, options = {}) => eventually(`an entry of ${query}`, async () => {
    const { items } = await plane.must('GET', `/v1/audit?${query}`, undefined, options);
    return items[0];
}, { within: 60_000 });
const entryOfAnswer = (answer) => entryOf(`requestId=${answer.headers['x-request-id']}`);

// All pages, from wherever the path begins.
async function pages(path, plane = controlPlane, options = {}) {
    const answers = [];
    for (let next = path; next;) {
        const answer = await plane.get(next, { as: plane.owner, ...options });
        assert.equal(answer.status, 200, answer.text);
        answers.push(answer);
        [, next] = /<([^>]*)>; rel="next"/.exec(answer.headers.link ?? '') ?? [];
    }
    return answers;
}
const all = async (plane = controlPlane) => (await pages('/v1/audit?limit=100', plane)).flatMap(({ json }) => json.items).reverse();
const linesOf = (answers) => answers.flatMap(({ text }) => text.split('\n').slice(0, -1).map((line) => JSON.parse(line)));

function assertWithoutGap(entries) {
    entries.forEach((entry, i) => assert.equal(entry.sequence, i + 1));
    assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length, 'none twice');
}

// --- what is in it ---

const exempt = new Map([
    ['agents.heartbeat', 'an agent says how it is, all the time; what changes by it is told'],
    ['agents.inventory.put', 'an agent says what its VM is; signed, and shown as reported'],
    ['agents.prove_time', 'changes nothing'],
    ['auth.refresh', 'goes on with a sign-in'],
    ['auth.token', 'an agent gets one every fifteen minutes: 100,000 would tell of nothing else'],
    ['vms.watch', 'changes how often is sampled, for some minutes'],
]);

// Each as somebody does it, in an order in which all of them work: [operation, action, answer].
async function* mutations() {
    const ada = await controlPlane.register(`ada-${randomUUID().slice(0, 8)}`);
    const call = (method, path, body) => controlPlane.call(method, path, { as: owner, body });
    const tenant = `/v1/tenants/${owner.tenantId}`;
    yield ['auth.register', 'user.registered', await controlPlane.post('/v1/auth/register', {
        email: `eve-${randomUUID().slice(0, 8)}@example.com`, password: 'eve has a long password', fullName: 'Eve',
    })];
    yield ['tenants.create', 'tenant.created', await call('POST', '/v1/tenants', { name: 'Second' })];
    yield ['tenants.update', 'tenant.updated', await call('PATCH', tenant, { name: 'Main Street' })];
    yield ['tenants.members.add', 'member.added', await call('POST', `${tenant}/members`, { userId: ada.id, role: 'viewer' })];
    yield ['tenants.members.update', 'member.updated', await call('PATCH', `${tenant}/members/${ada.id}`, { role: 'operator' })];
    yield ['tenants.members.remove', 'member.removed', await call('DELETE', `${tenant}/members/${ada.id}`)];
    const key = await call('POST', '/v1/auth/keys', { name: 'walked' });
    yield ['auth.keys.create', 'api_key.created', key];
    yield ['auth.keys.revoke', 'api_key.revoked', await call('DELETE', `/v1/auth/keys/${key.json.id}`)];
    yield ['auth.login', 'session.created', await controlPlane.post('/v1/auth/login', credentialsOf(controlPlane))];
    const ended = await controlPlane.signIn(controlPlane.credentials);
    const session = (await controlPlane.get('/v1/auth/me', { as: ended })).json.credentialId;
    yield ['auth.sessions.end', 'session.ended', await call('DELETE', `/v1/auth/sessions/${session}`)];
    const leaving = await controlPlane.signIn(controlPlane.credentials);
    yield ['auth.logout', 'session.ended', await controlPlane.post('/v1/auth/logout', undefined, { as: leaving })];
    await controlPlane.signIn(controlPlane.credentials);
    yield ['auth.logout_everywhere', 'session.ended', await call('POST', '/v1/auth/logout-everywhere', { keepCurrent: true })];
    const { password } = controlPlane.credentials;
    const change = (currentPassword, newPassword) => call('POST', '/v1/auth/password', { currentPassword, newPassword });
    yield ['auth.password.change', 'user.password_changed', await change(password, `${password} and more`)];
    assert.equal((await change(`${password} and more`, password)).status, 204);
    assert.equal((await cli.login(controlPlane.credentials)).code, 0);
    const token = await call('POST', '/v1/agents/enrollment-tokens', { name: 'walked', uses: 2 });
    yield ['agents.enrollment_tokens.create', 'enrollment_token.created', token];
    const agent = new JsonAgent(controlPlane, { name: 'walked' });
    yield ['agents.enroll', 'agent.enrolled', await agent.enroll(token.json.token)];
    yield ['agents.enrollment_tokens.revoke', 'enrollment_token.revoked', await call('DELETE', `/v1/agents/enrollment-tokens/${token.json.id}`)];
    const path = `/v1/agents/${agent.agentId}`;
    yield ['agents.update', 'agent.updated', await call('PUT', path, { name: 'renamed' })];
    await agent.signIn();
    assert.equal((await agent.heartbeat({ capabilities: [1, 5] })).status, 200);
    await eventually('it can replace its key', async () => (await controlPlane.must('GET', path)).capabilities.includes(5));
    yield ['agents.rotate_key', 'agent.key_wanted', await call('POST', `${path}/rotate-key`, {})];
    yield ['agents.key.put', 'agent.key_registered', await controlPlane.put(`${path}/key`, await nextKeyOf(agent), { as: agent })];
    yield ['agents.remove', 'agent.removed', await call('DELETE', path)];
    yield ['tenants.delete', 'tenant.deletion_requested', await call('DELETE', `${tenant}?confirm=main-street`)];
    yield ['tenants.restore', 'tenant.restored', await call('POST', `${tenant}/restore`)];
}

const credentialsOf = ({ credentials: { email, password } }) => ({ email, password });

async function nextKeyOf(agent) {
    const next = generateKeyPairSync('ed25519').privateKey;
    const publicKey = createPublicKey(next).export({ format: 'jwk' }).x;
    const { key } = await controlPlane.must('GET', `/v1/agents/${agent.agentId}`);
    const text = Buffer.from(['synapsex-agent-key-v1', agent.agentId, agent.issuer, key.id, publicKey, ''].join('\n'));
    const by = (signer) => sign(null, text, signer).toString('base64url');
    return { publicKey, formerKeyId: key.id, signature: by(agent.privateKey), proof: by(next) };
}

test('whatever changes something is in the log, or stands in a short list', async () => {
    const { paths } = (await controlPlane.get('/v1/openapi.json')).json;
    const mutating = Object.values(paths).flatMap((item) => Object.entries(item)
        .filter(([method, operation]) => method !== 'get' && operation.operationId)
        .map(([, operation]) => operation.operationId));
    const walked = [];
    for await (const [operation, action, answer] of mutations()) {
        walked.push(operation);
        assert.ok(answer.status < 300, `${operation}: ${answer.status} ${answer.text}`);
        if (operation === 'auth.register' || operation === 'tenants.create') continue;  // in a tenant of their own, below
        const entry = await entryOfAnswer(answer);
        assert.equal(entry.action, action, operation);
        assert.equal(entry.clientAddress, '127.0.0.1');
    }
    assert.deepEqual([...walked, ...exempt.keys()].sort(), mutating.sort(), 'each is walked above, or exempt with its reason');
});

test('what makes a tenant stands in the log of that tenant', async () => {
    const bob = await controlPlane.register('bob');
    const of = (query, tenant = bob.tenantId) => entryOf(query, controlPlane, { as: bob, tenant });
    assert.equal((await of('action=user.registered')).subject, bob.id);
    assert.equal((await of('action=tenant.created')).subject, bob.tenantId);
    const second = await controlPlane.must('POST', '/v1/tenants', { name: 'Second' }, { as: bob });
    const made = await of('action=tenant.created', second.id);
    assert.equal(made.sequence, 1);
    assert.deepEqual(made.actor[0], { type: 'user', id: bob.id });
});

test('it tells at a glance who minted which key, from where and when', async () => {
    const name = 'glance\u001b[31m\u202Ered';
    assertProblem(await controlPlane.post('/v1/auth/keys', { name }, { as: owner }), 400);
    const key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'glance\u202E' });
    const entry = await entryOf(`subject=${key.id}`);
    assert.equal(entry.action, 'api_key.created');
    assert.deepEqual(entry.actor[0], { type: 'user', id: owner.id });
    assert.equal(entry.actor[1].type, 'session');
    assert.equal(entry.data.name, 'glance\u202E');
    assert.ok(!JSON.stringify(entry).includes(key.key), 'not the key itself');
    assert.ok(Math.abs(Date.parse(entry.time) - Date.now()) < 60_000);
    const table = await cli.run(['audit', 'list', '--action', 'api_key.']);
    assert.equal(table.code, 0, table.stderr);
    const row = table.stdout.split('\n').find((line) => line.includes(key.id));
    for (const part of ['api_key.created', owner.id, '127.0.0.1', entry.time.slice(0, 10), 'glance\\u{202e}']) assert.ok(row.includes(part), `${part} in ${row}`);
    assert.ok(!table.stdout.includes('\u202E'));
    assert.match(table.stdout.split('\n')[0], /^TIME +ACTION +SUBJECT +NAME +ACTOR +FROM +WITH KEY +ID/);
    const screen = await cli.runOnTerminal(['audit', 'list', '--action', 'api_key.'], { columns: 100 });
    assert.equal(screen.code, 0, screen.stdout);
    const json = JSON.parse((await cli.run(['audit', 'list', '--subject', key.id, '--json'])).stdout);
    assert.deepEqual(json.items, [entry]);
    const shown = await cli.run(['audit', 'get', entry.id]);
    assert.equal(shown.code, 0, shown.stderr);
    for (const part of [entry.hash, entry.requestId, key.id, `user ${owner.id}`]) assert.ok(shown.stdout.includes(part), part);
    assert.deepEqual(JSON.parse((await cli.run(['audit', 'get', entry.id, '--json'])).stdout), entry);
});

test('a VM that enrolls tells by which token', async () => {
    const token = await controlPlane.enrollmentToken({ name: 'told' });
    const agent = new JsonAgent(controlPlane);
    await agent.enroll(token.token);
    const entry = await entryOf(`subject=${agent.agentId}`);
    assert.equal(entry.data.enrollmentTokenId, token.id);
    assert.deepEqual(entry.actor, []);
});

test('who is refused is told of, once in a minute, and who is nobody is not', async () => {
    const viewer = await controlPlane.register('viewer');
    await controlPlane.must('POST', `/v1/tenants/${owner.tenantId}/members`, { userId: viewer.id, role: 'viewer' });
    const as = { as: viewer, tenant: owner.tenantId };
    const [id] = (await controlPlane.must('GET', '/v1/audit?limit=1')).items.map((entry) => entry.id);
    const refused = await list('', as);
    assertProblem(refused, 403, 'auth.scope_missing');
    assertProblem(await controlPlane.get(`/v1/audit/${id}`, as), 403, 'auth.scope_missing');
    assertProblem(await controlPlane.get('/v1/audit/export', as), 403, 'auth.scope_missing');
    for (let i = 0; i < 20; ++i) await list('', as);
    const [entry] = await eventually('all three are told of', async () => {
        const { items } = (await list(`actor=${viewer.id}&action=access.`)).json;
        return items.length >= 3 && items.filter(({ subject }) => subject === 'audit.list');
    });
    assert.equal(entry.requestId, refused.headers['x-request-id']);
    assert.equal(entry.data.scope, 'audit.read');
    assert.equal(entry.data.code, 'auth.scope_missing');
    // By the operation itself: an admin makes nobody an owner.
    await controlPlane.must('PATCH', `/v1/tenants/${owner.tenantId}/members/${viewer.id}`, { role: 'admin' });
    await eventually('the role counts', async () => (await list('', as)).status === 200);
    const ambitious = await controlPlane.patch(`/v1/tenants/${owner.tenantId}/members/${viewer.id}`, { role: 'owner' }, as);
    assertProblem(ambitious, 403, 'tenants.owner_required');
    assert.equal((await entryOfAnswer(ambitious)).data.code, 'tenants.owner_required');
    const before = (await list('action=access.denied&limit=100')).json.items.length;
    for (let i = 0; i < 10; ++i) assertProblem(await list('', { as: 'sk_sx_nobody' }), 401);
    await controlPlane.must('PATCH', `/v1/tenants/${owner.tenantId}`, { name: 'Main Street' });
    assert.ok((await list('action=access.denied&limit=100')).json.items.length - before <= 1, 'a storm of 401 is no entry');
});

test('another tenant sees nothing', async () => {
    const stranger = await controlPlane.register('stranger');
    const entry = await entryOf('action=tenant.');
    assertProblem(await controlPlane.get(`/v1/audit/${entry.id}`, { as: stranger }), 404, 'audit.entry_not_found');
    assertProblem(await list('', { as: stranger, tenant: owner.tenantId }), 404, 'tenants.not_found');
    for (const answer of [await list('limit=100', { as: stranger }), await controlPlane.get('/v1/audit/export', { as: stranger })])
        assert.ok(!answer.text.includes(owner.tenantId) && !answer.text.includes(owner.id), answer.text);
    const { items } = (await list(`subject=${entry.subject}`, { as: stranger })).json;
    assert.deepEqual(items, []);
});

// --- reading it ---

test('filters choose, and a bad one is named', async () => {
    const answer = await controlPlane.post('/v1/auth/keys', { name: 'filtered' }, { as: owner });
    const entry = await entryOfAnswer(answer);
    const found = async (query) => (await list(query)).json.items.map(({ id }) => id);
    const [, session] = entry.actor;
    for (const query of [
        `actor=${owner.id}`, `actor=${session.id}`, 'action=api_key.', 'action=api_key.created', `subject=${entry.subject}`,
        'clientAddress=127.0.0.1', `from=${entry.time}`, `from=${entry.time}&action=api_key.&actor=${owner.id}`,
    ]) assert.ok((await found(query)).includes(entry.id), query);
    for (const query of [
        'actor=usr_01arz3ndektsv4rrffq69g5fav', 'action=api_key', 'action=api', 'subject=key_01arz3ndektsv4rrffq69g5fav', 'clientAddress=192.0.2.1',
        `to=${entry.time}`, 'action=%25', "subject=' OR 1=1 --",
    ]) assert.ok(!(await found(query.replaceAll(' ', '%20'))).includes(entry.id), query);
    for (const [query, pointer] of [
        ['from=yesterday', 'from'], ['to=2026-13-01T00:00:00Z', 'to'], ['limit=0', 'limit'], ['limit=101', 'limit'], ['actor=', 'actor'],
        [`action=${'x'.repeat(201)}`, 'action'], ['cursor=!', 'cursor'], ['since=1h', 'since'], ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ]) {
        const problem = assertProblem(await list(query), 400);
        assert.match(problem.errors[0].pointer, new RegExp(`^/?${pointer}$`), query);
    }
    assertProblem(await controlPlane.get('/v1/audit/evt_01arz3ndektsv4rrffq69g5fav', { as: owner }), 404, 'audit.entry_not_found');
    assert.ok([400, 404].includes((await controlPlane.get('/v1/audit/17', { as: owner })).status));
    const usage = await cli.run(['audit', 'list', '--since', 'yesterday']);
    assert.equal(usage.code, 2, usage.stderr);
    assert.match(usage.stderr, /--since takes/);
});

test('an export is complete and in order while entries are added, and is an entry itself', async () => {
    let isOver = false;
    let made = 0;
    const adding = (async () => {
        for (; !isOver; ++made) await controlPlane.must('PATCH', `/v1/tenants/${owner.tenantId}`, { name: `Main Street ${made}` });
    })();
    await eventually('some are added', async () => (await list('action=tenant.updated&limit=20')).json.items.length === 20);
    const before = await all();
    const answers = await pages('/v1/audit/export?limit=10');
    isOver = true;
    await adding;
    const lines = linesOf(answers);
    assert.ok(answers.length > 2);
    for (const { headers } of answers) assert.match(headers['content-type'], /^application\/x-ndjson/);
    assertWithoutGap(lines);
    assert.deepEqual(lines.slice(0, before.length), before);
    const told = await entryOfAnswer(answers[0]);
    assert.equal(told.action, 'audit.exported');
    assert.equal(told.data.isFirstPage, true);
    assert.deepEqual(told.actor[0], { type: 'user', id: owner.id });
    const part = linesOf(await pages(`/v1/audit/export?from=${lines[3].time}&to=${lines[7].time}`));
    assert.ok(part.some(({ id }) => id === lines[3].id) && !part.some(({ id }) => id === lines[7].id));
    const exported = await cli.run(['audit', 'export', '--until', lines.at(-1).time]);
    assert.equal(exported.code, 0, exported.stderr);
    const printed = exported.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));
    assert.deepEqual(printed, lines.filter(({ time }) => time < lines.at(-1).time));
    assert.match(exported.stderr, /^\d[\d,]* entries\./m);
    const accepted = await controlPlane.get('/v1/audit/export?limit=1', { as: owner, headers: { accept: 'application/x-ndjson' } });
    assert.equal(accepted.status, 200);
    assertProblem(await controlPlane.get('/v1/audit/export', { as: owner, headers: { accept: 'text/csv' } }), 406);
});

// --- nothing is missing ---

const burst = (n, plane = controlPlane) => Promise.all(Array.from({ length: n }, (_, i) =>
    plane.post('/v1/agents/enrollment-tokens', { name: `burst ${i}`, ttlSeconds: 60 }, { as: plane.owner })
        .then(({ status, json }) => status === 201 && json.id, () => false)));

async function assertAllIn(made, plane) {
    const subjects = made.filter(Boolean);
    const entries = await eventually('all are in the log', async () => {
        const found = await all(plane);
        const told = new Set(found.filter(({ action }) => action === 'enrollment_token.created').map(({ subject }) => subject));
        return subjects.every((id) => told.has(id)) && found;
    }, { within: 120_000, every: 500 });
    assertWithoutGap(entries);
    const created = entries.filter(({ action }) => action === 'enrollment_token.created').map(({ subject }) => subject);
    assert.equal(new Set(created).size, created.length, 'each once');
}

test('a restart and a kill lose nothing, and double nothing', async () => {
    const made = await burst(20);
    await controlPlane.restart();
    for (let round = 0; round < 2; ++round) {
        const dying = burst(20);
        await new Promise((done) => { setTimeout(done, 100 + 400 * round); });
        await controlPlane.killHard();
        made.push(...await dying);
        await controlPlane.serve();
        made.push(...await burst(5));
    }
    await assertAllIn(made, controlPlane);
});

test('a service with a database of its own has its entries in the one log', async () => {
    const folder = temporaryFolder();
    const plane = await ControlPlane.start({ settings: ['--auth-database-url', `sqlite://${join(folder, 'auth.db')}`] });
    const key = await plane.must('POST', '/v1/auth/keys', { name: 'elsewhere' });
    const entry = await entryOf(`subject=${key.id}`, plane);
    assert.equal(entry.action, 'api_key.created');
    await plane.must('PATCH', `/v1/tenants/${plane.owner.tenantId}`, { name: 'Here' });
    await entryOf('action=tenant.updated', plane);
    assertWithoutGap(await all(plane));
    await plane.stop();
    assert.doesNotMatch(plane.log, /"level":"error"/);
});

test('two replicas leave no gap and nothing twice, also when one is killed', { skip: !isPostgres && 'a SQLite file has one process' }, async () => {
    const first = await ControlPlane.start();
    const second = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    cpSync(first.dataDir, second.dataDir, { recursive: true });
    const [, url] = first.database.flags;
    for (const replica of [first, second]) replica.settings = ['--public-url', first.url, '--database-url', url];
    second.owner = first.owner;
    await first.restart();
    await second.serve();
    const made = [...await burst(20, first), ...await burst(20, second)];
    for (const victim of [first, second]) {
        const dying = burst(20, victim);
        await victim.killHard();
        made.push(...await dying, ...await burst(10, victim === first ? second : first));
        first.database.run('UPDATE platform_leases SET expires_at = 1');
        await victim.serve();
        made.push(...await burst(10, victim));
    }
    await assertAllIn(made, first);
    await assertAllIn(made, second);
    await second.stop();
    await first.stop();
});
