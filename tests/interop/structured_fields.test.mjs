// structured-headers (RFC 9651) reads the fields that are to be structured ones, and writes the one
// that clients send.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';

import { parseList, serializeItem } from 'structured-headers';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/structured-headers/package.json', import.meta.url)));

let controlPlane;
before(async () => {
    controlPlane = await ControlPlane.start({
        settings: ['--trusted-proxies', '127.0.0.0/8', '--address-requests-per-minute', '30'],
    });
});
after(async () => { await controlPlane?.stop(); });

test('the client is named', (t) => { t.diagnostic(`structured-headers ${version}`); });

test('RateLimit and RateLimit-Policy are lists of strings with parameters', async () => {
    const refreshed = await controlPlane.post('/v1/auth/refresh', { refreshToken: 'rt_sx_none' }, { headers: { 'x-forwarded-for': '203.0.113.1' } });
    const [[policy, terms]] = parseList(refreshed.headers['ratelimit-policy']);
    assert.equal(policy, 'address');
    assert.deepEqual(Object.fromEntries(terms), { q: 30, w: 60 });
    const [[name, left]] = parseList(refreshed.headers.ratelimit);
    assert.equal(name, 'address');
    assert.deepEqual(Object.fromEntries(left), { r: 29, t: 2 });
});

test('an Idempotency-Key is taken as the string that the draft asks for, and bare', async () => {
    const send = (key, name) => controlPlane.post('/v1/auth/keys', { name }, { as: controlPlane.owner, headers: { 'idempotency-key': key } });
    const made = await send(serializeItem('structured key-1'), 'ci');
    assert.equal(made.status, 201, made.text);
    const again = await send(serializeItem('structured key-1'), 'ci');
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.json.id, made.json.id);
    assert.equal((await send('bare-key-1', 'ci 2')).status, 201);
    assertProblem(await send(serializeItem('no end').slice(0, -1), 'ci 3'), 400);
});
