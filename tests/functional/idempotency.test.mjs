// A request that is sent again under its Idempotency-Key changes nothing more, whatever happened to
// the first one's answer.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
let owner;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner } = controlPlane);
});
after(async () => { await controlPlane?.stop(); });

const send = (method, path, body, key, options = {}) =>
    controlPlane.call(method, path, { as: owner, body, ...options, headers: { 'idempotency-key': key, ...options.headers } });

// What each operation that stores its answers is asked for; `fresh` gives bodies that differ, `as`
// who asks.
const recipes = {
    'agents.enrollment_tokens.create': { fresh: (n) => ({ name: `token ${n}` }) },
    'auth.keys.create': { fresh: (n) => ({ name: `key ${n}` }) },
    'auth.password.change': {
        as: () => controlPlane.register('changes-it'),
        fresh: (n) => ({ currentPassword: 'changes-it has a long password', newPassword: `a long password, number ${n}` }),
    },
    'tenants.create': { fresh: (n) => ({ name: `Tenant ${n}` }) },
    'tenants.update': { path: () => `/v1/tenants/${owner.tenantId}`, fresh: (n) => ({ name: `Name ${n}` }) },
    'tenants.members.add': {
        path: () => `/v1/tenants/${owner.tenantId}/members`,
        fresh: async (n) => ({ userId: (await controlPlane.register(`joins-${n}`)).id, role: 'viewer' }),
    },
    'tenants.members.update': {
        path: async () => {
            const user = await controlPlane.register(`changes-${randomUUID()}`);
            await controlPlane.must('POST', `/v1/tenants/${owner.tenantId}/members`, { userId: user.id, role: 'viewer' });
            return `/v1/tenants/${owner.tenantId}/members/${user.id}`;
        },
        fresh: (n) => ({ role: n % 2 ? 'operator' : 'admin' }),
    },
};

test('every operation that says so gives its first answer again', async (t) => {
    const document = (await controlPlane.get('/v1/openapi.json')).json;
    const found = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item)
        .filter(([, operation]) => (operation.parameters ?? []).some(({ $ref }) => $ref?.endsWith('/IdempotencyKey')))
        .map(([method, operation]) => ({ id: operation.operationId, method: method.toUpperCase(), path })));
    assert.ok(found.length > 0);
    assert.deepEqual(found.map(({ id }) => id).sort(), Object.keys(recipes).sort(), 'each has a recipe here');
    let n = 0;
    for (const { id, method, path: template } of found) {
        await t.test(id, async () => {
            const { path = () => template, fresh, as = () => owner } = recipes[id];
            const target = await path();
            const options = { as: await as() };
            const body = await fresh(++n);
            const key = randomUUID();
            const first = await send(method, target, body, key, options);
            assert.ok(first.status < 300, first.text);
            assert.equal(first.headers['idempotent-replayed'], undefined);
            for (const spelling of [key, `"${key}"`]) {
                const again = await send(method, target, body, spelling, options);
                assert.equal(again.status, first.status);
                assert.equal(again.text, first.text);
                assert.equal(again.headers['idempotent-replayed'], 'true');
                assert.notEqual(again.headers['x-request-id'], first.headers['x-request-id']);
            }
            assertProblem(await send(method, target, await fresh(++n), key, options), 422, 'idempotency_key.reused');
        });
    }
});

test('32 equal requests at once make one token', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 32 }, () => send('POST', '/v1/agents/enrollment-tokens', { name: 'crowd' }, key)));
    const fresh = answers.filter(({ status, headers }) => status === 201 && !headers['idempotent-replayed']);
    assert.equal(fresh.length, 1);
    for (const answer of answers) {
        if (answer.status === 201) assert.equal(answer.text, fresh[0].text);
        else {
            assertProblem(answer, 409, 'idempotency_key.in_flight');
            assert.ok(answer.headers['retry-after']);
        }
    }
    const listed = await controlPlane.must('GET', '/v1/agents/enrollment-tokens');
    assert.equal(listed.items.filter(({ name }) => name === 'crowd').length, 1);
});

test('a server killed at any moment has made it once, when it is asked again', async () => {
    for (let round = 0; round < 6; ++round) {
        const name = `killed ${round}`;
        const key = randomUUID();
        const body = { name };
        const lost = send('POST', '/v1/agents/enrollment-tokens', body, key).catch((error) => error);
        if (round % 2) {
            // Right after the commit, whether the answer went out or not.
            await eventually('it is committed', () =>
                controlPlane.database.rows(`SELECT name FROM agent_registry_enrollment_tokens WHERE name = '${name}'`).length === 1);
        } else {
            await new Promise((done) => { setTimeout(done, round * 2); });
        }
        await controlPlane.killHard();
        await lost;
        await controlPlane.serve();
        const again = await send('POST', '/v1/agents/enrollment-tokens', body, key);
        assert.equal(again.status, 201, again.text);
        if (round % 2) assert.equal(again.headers['idempotent-replayed'], 'true', 'it was committed, and so was its answer');
        const listed = await controlPlane.must('GET', '/v1/agents/enrollment-tokens?limit=100');
        const made = listed.items.filter((item) => item.name === name);
        assert.deepEqual(made.map(({ id }) => id), [again.json.id]);
    }
});

test('a key is its caller\'s own', async () => {
    const ada = await controlPlane.register('ada-with-keys');
    const key = randomUUID();
    const mine = await send('POST', '/v1/agents/enrollment-tokens', { name: 'same' }, key);
    const hers = await send('POST', '/v1/agents/enrollment-tokens', { name: 'same' }, key, { as: ada });
    assert.equal(hers.status, 201, hers.text);
    assert.notEqual(hers.json.id, mine.json.id);
    const elsewhere = await controlPlane.must('POST', '/v1/tenants', { name: 'Elsewhere' });
    const other = await send('POST', '/v1/agents/enrollment-tokens', { name: 'same' }, key, { tenant: elsewhere.id });
    assert.equal(other.status, 201, other.text);
    assert.notEqual(other.json.id, mine.json.id);
    const signedInAgain = await controlPlane.signIn(controlPlane.credentials);
    const again = await send('POST', '/v1/agents/enrollment-tokens', { name: 'same' }, key, { as: signedInAgain });
    assert.equal(again.text, mine.text, 'a new session is the same caller');
});

test('who may no longer do it does not get the answer either', async () => {
    const eve = await controlPlane.register('eve-leaves');
    const members = `/v1/tenants/${owner.tenantId}/members`;
    await controlPlane.must('POST', members, { userId: eve.id, role: 'operator' });
    const key = randomUUID();
    const ask = () => send('POST', '/v1/agents/enrollment-tokens', { name: 'eve' }, key, { as: eve, tenant: owner.tenantId });
    assert.equal((await ask()).status, 201);
    await controlPlane.must('DELETE', `${members}/${eve.id}`);
    assertProblem(await ask(), 404, 'tenants.not_found');
});

test('what failed is not kept', async () => {
    const key = randomUUID();
    const body = { name: 'Taken', slug: 'taken-slug' };
    const first = await controlPlane.must('POST', '/v1/tenants', body);
    assertProblem(await send('POST', '/v1/tenants', body, key), 409, 'tenants.slug_taken');
    assertProblem(await send('POST', '/v1/tenants', body, key), 409, 'tenants.slug_taken');
    assertProblem(await send('POST', '/v1/tenants', { name: '' }, key), 400);
    const other = await send('POST', '/v1/tenants', { name: 'Taken', slug: 'another-slug' }, key);
    assert.equal(other.status, 201, other.text);
    assert.notEqual(other.json.id, first.id);
});

test('a key that is none is refused by name, and ignored where it does nothing', async () => {
    for (const key of ['', 'two words', '"open', 'k'.repeat(256), 'a, b'])
        assertProblem(await send('POST', '/v1/agents/enrollment-tokens', {}, key), 400, 'idempotency_key.malformed');
    assertProblem(await send('POST', '/v1/agents/enrollment-tokens', {}, 'a', { headers: { 'idempotency-key': ['a', 'b'] } }), 400, 'idempotency_key.malformed');
    const { email, password } = controlPlane.credentials;
    assert.equal((await controlPlane.post('/v1/auth/login', { email, password }, { headers: { 'idempotency-key': 'two words' } })).status, 200);
});

test('a stored answer shows its secrets to nobody who reads the database', async () => {
    const made = await send('POST', '/v1/auth/keys', { name: 'sealed' }, randomUUID());
    assert.match(made.json.key, /^sk_sx_/);
    const bytes = controlPlane.database.bytes();
    assert.ok(bytes.includes(made.json.id), 'the key itself is there');
    assert.ok(!bytes.includes(made.json.key.slice(8, 30)));
});
