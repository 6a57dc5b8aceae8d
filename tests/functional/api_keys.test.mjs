// The life of an API key: shown once, used by programs, listed without its secret, revoked at once.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

const makeKey = (wish) => controlPlane.must('POST', '/v1/auth/keys', wish);
const me = (options) => controlPlane.get('/v1/auth/me', options);

test('a key acts as its user, in both headers', async () => {
    const key = await makeKey({ name: 'ci', description: 'builds' });
    assert.match(key.key, /^sk_sx_[0-9A-Za-z]{20,}$/);
    assert.ok(key.key.startsWith(key.prefix));
    for (const headers of [{ authorization: `Bearer ${key.key}` }, { 'x-api-key': key.key }]) {
        const answer = await me({ headers });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.kind, 'api_key');
        assert.equal(answer.json.id, controlPlane.owner.id);
        assert.equal(answer.json.credentialId, key.id);
    }
});

test('a key is listed without its secret, and nowhere in the database', async () => {
    const key = await makeKey({ name: 'secret' });
    const answer = await controlPlane.get('/v1/auth/keys', { as: controlPlane.owner });
    const listed = answer.json.items.find((item) => item.id === key.id);
    assert.equal(listed.name, 'secret');
    assert.ok(!('key' in listed));
    assert.ok(!answer.text.includes(key.key));
    const kept = controlPlane.database.bytes();
    assert.ok(kept.includes(key.id), 'the key itself is there');
    assert.ok(!kept.includes(key.key));
    assert.ok(!controlPlane.process.stderr.includes(key.key), 'not in the log');
});

test('a revoked key is refused at once', async () => {
    const key = await makeKey({ name: 'short-lived' });
    assert.equal((await me({ as: key.key })).status, 200);
    const gone = await controlPlane.delete(`/v1/auth/keys/${key.id}`, { as: controlPlane.owner });
    assert.equal(gone.status, 204, gone.text);
    assertProblem(await me({ as: key.key }), 401);
    const again = await controlPlane.delete(`/v1/auth/keys/${key.id}`, { as: controlPlane.owner });
    assert.equal(again.status, 204, 'a lost answer costs nothing');
    const unknown = await controlPlane.delete('/v1/auth/keys/key_01arz3ndektsv4rrffq69g5fav', { as: controlPlane.owner });
    assertProblem(unknown, 404, 'auth.key_not_found');
});

test('a key makes no further keys, so revoking it ends what it gave access to', async () => {
    const key = await makeKey({ name: 'leaked' });
    assertProblem(await controlPlane.post('/v1/auth/keys', { name: 'offspring' }, { as: key.key }), 403, 'auth.sign_in_required');
    const page = await controlPlane.must('GET', '/v1/auth/keys?limit=100');
    assert.ok(!page.items.some((item) => item.name === 'offspring'));
});

test('a mistyped key is told by its checksum', async () => {
    const { key } = await makeKey({ name: 'typo' });
    const wrong = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
    assertProblem(await me({ as: wrong }), 401, 'auth.credential_invalid');
});

test('last use is written down, to the minute', async () => {
    const key = await makeKey({ name: 'used' });
    await me({ as: key.key });
    const used = await eventually('lastUsedAt is set', async () => {
        const page = await controlPlane.must('GET', '/v1/auth/keys?limit=100');
        return page.items.find((item) => item.id === key.id)?.lastUsedAt;
    }, { within: 90_000, every: 500 });
    assert.ok(Math.abs(Date.now() - Date.parse(used)) < 120_000);
});

test('keys are paged', async () => {
    for (let i = 0; i < 5; ++i) await makeKey({ name: `page ${i}` });
    const seen = [];
    let cursor = '';
    do {
        const page = await controlPlane.must('GET', `/v1/auth/keys?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map((item) => item.id));
        cursor = page.nextCursor;
    } while (cursor);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length >= 5);
    assertProblem(await controlPlane.get('/v1/auth/keys?cursor=nonsense', { as: controlPlane.owner }), 400);
});

test('a key survives a restart and kill -9', async () => {
    const key = await makeKey({ name: 'lasting' });
    await controlPlane.killHard();
    await controlPlane.restart();
    assert.equal((await me({ as: key.key })).status, 200);
});
