// What changes leave behind: one message each, with who and why, numbered without a gap.

import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { allMessages, numberedMessages, postedMessages } from '../support/outbox.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
let owner;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner } = controlPlane);
});
after(async () => { await controlPlane?.stop(); });

const messages = () => allMessages(controlPlane.database);
const of = (answer) => messages().filter(({ requestId }) => requestId === answer.headers['x-request-id']);
// Keyed, so that nobody who reads the database can try passwords against it: from the root key.
const digest = (text) => {
    const root = readFileSync(join(controlPlane.dataDir, 'keys', 'root.key'));
    const key = Buffer.from(hkdfSync('sha256', root, '', 'synapsex.argument-digest', 32));
    return createHmac('sha256', key).update(text).digest('hex');
};

test('every change tells what happened, to what, and who asked', async () => {
    const ada = await controlPlane.register('outbox-ada');
    const key = await controlPlane.post('/v1/auth/keys', { name: 'robot' }, { as: owner });
    const token = await controlPlane.post('/v1/agents/enrollment-tokens', { name: 'one' }, { as: key.json.key });
    const agent = new JsonAgent(controlPlane);
    assert.equal((await agent.enroll(token.json.token)).status, 201);
    const changes = [
        ['tenant.created', await controlPlane.post('/v1/tenants', { name: 'Outbox' }, { as: owner })],
        ['tenant.updated', await controlPlane.patch(`/v1/tenants/${owner.tenantId}`, { name: 'Main' }, { as: owner })],
        ['member.added', await controlPlane.post(`/v1/tenants/${owner.tenantId}/members`, { userId: ada.id, role: 'viewer' }, { as: owner }), ada.id],
        ['member.updated', await controlPlane.patch(`/v1/tenants/${owner.tenantId}/members/${ada.id}`, { role: 'admin' }, { as: owner }), ada.id],
        ['member.removed', await controlPlane.delete(`/v1/tenants/${owner.tenantId}/members/${ada.id}`, { as: owner }), ada.id],
        ['api_key.created', key],
        ['enrollment_token.created', token],
        ['agent.updated', await controlPlane.put(`/v1/agents/${agent.agentId}`, { name: 'new' }, { as: owner })],
        ['agent.removed', await controlPlane.delete(`/v1/agents/${agent.agentId}`, { as: owner }), agent.agentId],
        ['enrollment_token.revoked', await controlPlane.delete(`/v1/agents/enrollment-tokens/${token.json.id}`, { as: owner }), token.json.id],
        ['api_key.revoked', await controlPlane.delete(`/v1/auth/keys/${key.json.id}`, { as: owner }), key.json.id],
    ];
    for (const [type, answer, subject] of changes) {
        assert.ok(answer.status < 300, `${type}: ${answer.text}`);
        const told = of(answer);
        assert.deepEqual(told.map((message) => message.type), [type]);
        const [message] = told;
        assert.equal(message.kind, 'change');
        assert.equal(message.subject, subject ?? answer.json.id);
        assert.equal(message.tenantId, type === 'tenant.created' ? answer.json.id : owner.tenantId);
        assert.equal(message.clientAddress, '127.0.0.1');
        const actor = JSON.parse(message.actor);
        assert.deepEqual(actor[0], { type: 'user', id: owner.id });
        if (type === 'enrollment_token.created') assert.deepEqual(actor[1], { type: 'api_key', id: key.json.id });
        else assert.equal(actor[1].type, 'session');
        assert.ok(!message.data.includes(key.json.key) && !message.data.includes(token.json.token), 'no secret in it');
    }
    assert.equal(of(changes[0][1])[0].argumentDigest, digest(JSON.stringify({ name: 'Outbox' })));
    const [enrolled] = messages().filter(({ subject, type }) => subject === agent.agentId && type === 'agent.enrolled');
    assert.equal(enrolled.tenantId, owner.tenantId);
    const [registered] = messages().filter(({ subject, type }) => subject === ada.id && type === 'user.registered');
    assert.equal(registered.tenantId, ada.tenantId);
});

test('what was refused or changes nothing tells nothing', async () => {
    const refused = await controlPlane.post('/v1/tenants', { name: 'X', slug: 'No Slug' }, { as: owner });
    assert.equal(refused.status, 400);
    assert.deepEqual(of(refused), []);
    const token = (await controlPlane.enrollmentToken()).id;
    const path = `/v1/agents/enrollment-tokens/${token}`;
    assert.equal(of(await controlPlane.delete(path, { as: owner })).length, 1);
    assert.deepEqual(of(await controlPlane.delete(path, { as: owner })), [], 'it was revoked before');
    const key = { 'idempotency-key': 'told-once' };
    const first = await controlPlane.post('/v1/agents/enrollment-tokens', {}, { as: owner, headers: key });
    const again = await controlPlane.post('/v1/agents/enrollment-tokens', {}, { as: owner, headers: key });
    assert.equal(of(first).length, 1);
    assert.deepEqual(of(again), []);
});

test('messages get numbers without a gap, also over a kill', async () => {
    const burst = (n) => Promise.all(Array.from({ length: n }, (_, i) =>
        controlPlane.post('/v1/agents/enrollment-tokens', { name: `burst ${i}` }, { as: owner }).catch(() => undefined)));
    const allNumbered = () => postedMessages(controlPlane.database).length === 0;
    await burst(30);
    await eventually('the first have their number', allNumbered, { within: 90_000 });
    const dying = burst(30);
    await controlPlane.killHard();
    await dying;
    await controlPlane.serve();
    await burst(30);
    const tokens = controlPlane.database.rows('SELECT token_id FROM agent_registry_enrollment_tokens');
    // Not before the lease of the killed one has ended.
    await eventually('all have their number', allNumbered, { within: 90_000 });
    const numbered = numberedMessages(controlPlane.database);
    numbered.forEach((message, i) => assert.equal(message.sequence, i + 1));
    assert.equal(new Set(numbered.map((message) => message.prevHash)).size, numbered.length, 'each has another before it');
    for (const { token_id: id } of tokens)
        assert.equal(numbered.filter((message) => message.subject === id && message.type === 'enrollment_token.created').length, 1, id);
});

test('the relay stands among the tasks, and its lag among the metrics', async () => {
    const { checks } = (await controlPlane.get('/readyz')).json;
    for (const task of ['platform.relay_outbox', 'platform.watch_outbox', 'platform.prune'])
        assert.ok(checks.some(({ name }) => name === `task ${task}`), task);
    const { text } = await controlPlane.get('/metrics');
    assert.match(text, /^synapsex_outbox_lag_seconds\{database="main"\} \d/m);
});
