// Tenants, their members, what each role may, and the wall between tenants.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';

let controlPlane;
let owner;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner } = controlPlane);
});
after(async () => { await controlPlane?.stop(); });

const members = (tenant) => `/v1/tenants/${tenant}/members`;

test('a user makes a tenant, renames it and acts in it by id or slug', async () => {
    const made = await controlPlane.must('POST', '/v1/tenants', { name: 'ACME Production' });
    assert.equal(made.slug, 'acme-production');
    assert.equal(made.role, 'owner');
    for (const tenant of [made.id, made.slug]) {
        const me = (await controlPlane.get('/v1/auth/me', { as: owner, tenant })).json;
        assert.equal(me.tenantId, made.id);
    }
    const renamed = await controlPlane.patch(`/v1/tenants/${made.id}`, { name: 'ACME' }, { as: owner, tenant: made.id });
    assert.equal(renamed.status, 200, renamed.text);
    assert.equal(renamed.json.name, 'ACME');
    const twin = await controlPlane.must('POST', '/v1/tenants', { name: 'ACME Production' });
    assert.notEqual(twin.slug, made.slug);
    assertProblem(await controlPlane.post('/v1/tenants', { name: 'X', slug: made.slug }, { as: owner }), 409, 'tenants.slug_taken');
    assertProblem(await controlPlane.post('/v1/tenants', { name: 'X', slug: 'No Slug' }, { as: owner }), 400, 'tenants.slug_invalid');
    const listed = await controlPlane.must('GET', '/v1/tenants');
    assert.deepEqual([made.id, twin.id].filter((id) => !listed.items.some((item) => item.id === id)), []);
});

test('members are added, promoted and removed, and feel it at once', async () => {
    const ada = await controlPlane.register('member-ada');
    const tenant = owner.tenantId;
    assertProblem(await controlPlane.get('/v1/vms', { as: ada, tenant }), 404, 'tenants.not_found');
    const added = await controlPlane.post(members(tenant), { userId: ada.id, role: 'viewer' }, { as: owner });
    assert.equal(added.status, 201, added.text);
    assert.equal((await controlPlane.get('/v1/vms', { as: ada, tenant })).status, 200);
    assertProblem(await controlPlane.post(members(tenant), { userId: ada.id, role: 'viewer' }, { as: owner }), 409, 'tenants.member_exists');
    const promoted = await controlPlane.patch(`${members(tenant)}/${ada.id}`, { role: 'operator' }, { as: owner });
    assert.equal(promoted.json.role, 'operator', promoted.text);
    assert.equal((await controlPlane.post('/v1/agents/enrollment-tokens', {}, { as: ada, tenant })).status, 201);
    assert.equal((await controlPlane.delete(`${members(tenant)}/${ada.id}`, { as: owner })).status, 204);
    assertProblem(await controlPlane.get('/v1/vms', { as: ada, tenant }), 404, 'tenants.not_found');
});

test('a tenant keeps an owner, and only owners make owners', async () => {
    const tenant = owner.tenantId;
    assertProblem(await controlPlane.delete(`${members(tenant)}/${owner.id}`, { as: owner }), 409, 'tenants.last_owner');
    assertProblem(await controlPlane.patch(`${members(tenant)}/${owner.id}`, { role: 'viewer' }, { as: owner }), 409, 'tenants.last_owner');
    const eve = await controlPlane.register('admin-eve');
    await controlPlane.must('POST', members(tenant), { userId: eve.id, role: 'admin' });
    assertProblem(await controlPlane.patch(`${members(tenant)}/${eve.id}`, { role: 'owner' }, { as: eve, tenant }), 403, 'tenants.owner_required');
    assertProblem(await controlPlane.delete(`${members(tenant)}/${owner.id}`, { as: eve, tenant }), 403, 'tenants.owner_required');
});

// Who may do what; the least role that may.
const order = ['viewer', 'operator', 'admin', 'owner'];
const deeds = [
    ['viewer', 'GET', () => '/v1/vms'],
    ['viewer', 'GET', () => '/v1/agents'],
    ['viewer', 'GET', ({ tenant }) => `/v1/tenants/${tenant}`],
    ['viewer', 'GET', ({ tenant }) => members(tenant)],
    ['viewer', 'GET', ({ agent }) => `/v1/vms/${agent.vmId}`],
    ['viewer', 'POST', ({ agent }) => `/v1/vms/${agent.vmId}/watch`, () => ({})],
    ['operator', 'GET', () => '/v1/agents/enrollment-tokens'],
    ['operator', 'POST', () => '/v1/agents/enrollment-tokens', () => ({})],
    ['operator', 'PUT', ({ agent }) => `/v1/agents/${agent.agentId}`, () => ({ description: 'x' })],
    ['operator', 'POST', () => '/v1/auth/keys', () => ({ name: 'k' })],
    ['admin', 'POST', ({ tenant }) => members(tenant), ({ extra }) => ({ userId: extra.pop(), role: 'viewer' })],
    ['owner', 'PATCH', ({ tenant }) => `/v1/tenants/${tenant}`, () => ({ name: 'Renamed' })],
];

test('each role may what it may and gets 403 for the rest', async (t) => {
    const tenant = owner.tenantId;
    const agent = await JsonAgent.start(controlPlane, { name: 'role-vm' });
    const extra = [];
    for (const name of ['x1', 'x2']) extra.push((await controlPlane.register(`role-${name}`)).id);
    const scene = { tenant, agent, extra };
    const people = { owner };
    for (const role of order.slice(0, 3)) {
        people[role] = await controlPlane.register(`role-${role}`);
        await controlPlane.must('POST', members(tenant), { userId: people[role].id, role });
    }
    for (const [least, method, path, body] of deeds) {
        await t.test(`${method} ${path({ tenant: '{tenant}', agent: { vmId: '{vm}', agentId: '{agent}' } })} needs ${least}`, async () => {
            for (const role of order) {
                const may = order.indexOf(role) >= order.indexOf(least);
                // A refusal comes before the body is looked at: any will do.
                const sent = body && (may ? body(scene) : {});
                if (sent?.userId === undefined && sent?.role && may) continue;  // no user left to add
                const answer = await controlPlane.call(method, path(scene), { as: people[role], tenant, body: sent });
                if (may) assert.ok(answer.status < 300, `${role}: ${answer.status} ${answer.text}`);
                else assertProblem(answer, 403, 'auth.scope_missing');
            }
        });
    }
});

test('another tenant\'s things are 404, everywhere, for every verb', async (t) => {
    const agent = await JsonAgent.start(controlPlane, { name: 'walled-vm' });
    const token = await controlPlane.enrollmentToken();
    const key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'walled' });
    const stranger = await controlPlane.register('stranger');
    const strangersAgent = await JsonAgent.start(controlPlane, { name: 'strangers-vm', as: stranger });
    const values = {
        tenantId: owner.tenantId, userId: owner.id, agentId: agent.agentId, vmId: agent.vmId, tokenId: token.id,
        key_id: key.id, section: 'os', session_id: (await controlPlane.must('GET', '/v1/auth/me')).credentialId,
    };
    const bodies = {
        'agents.update': { name: 'mine now' },
        'agents.heartbeat': {
            sequence: 1, bootId: '', agentVersion: '1', capabilities: [], holdSeconds: 0, hashes: [], telemetry: [],
            spoolDroppedSamples: 0, goodbye: '', serverIncarnation: '', executor: 'ok',
        },
        'agents.key.put': {
            publicKey: 'A'.repeat(43), formerKeyId: 'A'.repeat(16), signature: 'A'.repeat(86), proof: 'A'.repeat(86),
        },
        'agents.inventory.put': {
            content: 'GgA', signedAt: new Date().toISOString(), keyId: 'A'.repeat(16), signature: 'A'.repeat(86),
        },
        'tenants.update': { name: 'mine now' },
        'tenants.members.add': { userId: stranger.id, role: 'owner' },
        'tenants.members.update': { role: 'viewer' },
        'vms.watch': {},
    };
    const { paths } = (await controlPlane.get('/v1/openapi.json')).json;
    let count = 0;
    for (const [template, methods] of Object.entries(paths)) {
        if (!template.includes('{')) continue;
        for (const [method, operation] of Object.entries(methods)) {
            if (!operation.operationId) continue;
            ++count;
            await t.test(`${method.toUpperCase()} ${template}`, async () => {
                const path = template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? assert.fail(`no value for ${name}: make one above and add it to values`));
                const isAgents = /agentId\}\/(heartbeat|inventory|key)/.test(template);
                const answer = await controlPlane.call(method.toUpperCase(), path, {
                    as: isAgents ? strangersAgent : stranger, body: bodies[operation.operationId],
                });
                assertProblem(answer, 404);
                assert.ok(!answer.text.includes('walled'), 'and it tells nothing');
            });
        }
    }
    assert.ok(count >= 10, `only ${count} operations with a path parameter`);
    for (const path of ['/v1/vms', '/v1/agents', '/v1/agents/enrollment-tokens', '/v1/auth/keys']) {
        const list = await controlPlane.get(path, { as: stranger });
        assert.ok(!list.text.includes(agent.agentId) && !list.text.includes(token.id) && !list.text.includes(key.id), path);
    }
    // Nothing happened behind the wall.
    assert.equal((await controlPlane.must('GET', `/v1/vms/${agent.vmId}`)).name, 'walled-vm');
    assert.equal((await controlPlane.get('/v1/auth/me', { as: key.key })).status, 200);
    for (const tenant of [owner.tenantId, 'main-street', 'ten_01arz3ndektsv4rrffq69g5fav', 'no-such'])
        assertProblem(await controlPlane.get('/v1/vms', { as: stranger, tenant }), 404, 'tenants.not_found');
});

test('who is removed or gets another role feels it at once, and old keys do not come back', async () => {
    const tenant = owner.tenantId;
    const bob = await controlPlane.register('moving-bob');
    const add = () => controlPlane.must('POST', members(tenant), { userId: bob.id, role: 'operator' });
    const asBob = (method, path, body) => controlPlane.call(method, path, { as: bob, tenant, body });
    await add();
    const key = (await asBob('POST', '/v1/auth/keys', { name: 'of an operator' })).json;
    const withKey = () => controlPlane.get('/v1/auth/me', { as: key.key });
    assert.equal((await withKey()).json.role, 'operator');

    await controlPlane.must('PATCH', `${members(tenant)}/${bob.id}`, { role: 'viewer' });
    assert.equal((await withKey()).json.role, 'viewer');
    assertProblem(await asBob('POST', '/v1/auth/keys', { name: 'of a viewer' }), 403, 'auth.scope_missing');
    assert.equal((await withKey()).status, 200);

    assert.equal((await controlPlane.delete(`${members(tenant)}/${bob.id}`, { as: owner })).status, 204);
    assertProblem(await asBob('GET', '/v1/vms'), 404, 'tenants.not_found');
    assertProblem(await withKey(), 401, 'auth.credential_revoked');
    await add();
    assert.equal((await asBob('GET', '/v1/vms')).status, 200);
    assertProblem(await withKey(), 401, 'auth.credential_revoked');
    await controlPlane.must('PATCH', `${members(tenant)}/${bob.id}`, { role: 'viewer' });
    assert.equal((await asBob('DELETE', `/v1/auth/keys/${key.id}`)).status, 204, 'a viewer revokes keys of their own');
});

test('an API key stays in its tenant and makes no other', async () => {
    const { key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'homebody' });
    const other = await controlPlane.must('POST', '/v1/tenants', { name: 'Elsewhere' });
    assertProblem(await controlPlane.get('/v1/vms', { as: key, tenant: other.id }), 404, 'tenants.not_found');
    assertProblem(await controlPlane.post('/v1/tenants', { name: 'By a key' }, { as: key }), 403, 'auth.sign_in_required');
});
