// An agent's assertion (RFC 7523) buys a token once, in time, for the right server, with its own key.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { freePort } from '../support/processes.mjs';

let controlPlane;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start();
    agent = await JsonAgent.start(controlPlane);
});
after(async () => { await controlPlane?.stop(); });

const now = () => Math.floor(Date.now() / 1000);
const exchange = (parts) => agent.exchange(agent.assertion(parts));

test('a fresh assertion buys a token that is the agent\'s and nobody else\'s', async () => {
    const answer = await exchange({});
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.token_type, 'bearer');
    assert.equal(answer.json.expires_in, 900);
    assert.equal(answer.headers['cache-control'], 'no-store');
    const token = answer.json.access_token;
    assertProblem(await controlPlane.get('/v1/auth/me', { as: token }), 403, 'auth.wrong_kind_of_caller');
    assertProblem(await controlPlane.get('/v1/vms', { as: token }), 403, 'auth.wrong_kind_of_caller');
    assertProblem(await controlPlane.post(`/v1/agents/${agent.agentId}/heartbeat`, {}, { as: controlPlane.owner }), 403, 'auth.wrong_kind_of_caller');
});

test('an assertion works once, also for two at the same instant and after kill -9', async () => {
    const assertion = agent.assertion();
    assert.equal((await agent.exchange(assertion)).status, 200);
    assertProblem(await agent.exchange(assertion), 401, 'auth.assertion_replayed');
    const race = agent.assertion();
    const answers = await Promise.all(Array.from({ length: 8 }, () => agent.exchange(race)));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    await controlPlane.killHard();
    await controlPlane.restart();
    assertProblem(await agent.exchange(assertion), 401, 'auth.assertion_replayed');
    assertProblem(await agent.exchange(race), 401, 'auth.assertion_replayed');
});

test('a clock that is off is told the server\'s time', async () => {
    for (const [offset, code] of [[-180, 'auth.assertion_skewed'], [180, 'auth.assertion_skewed'], [86400 * 365, 'auth.assertion_skewed']]) {
        const iat = now() + offset;
        const answer = await exchange({ claims: { iat, exp: iat + 60 } });
        assertProblem(answer, 401, code);
        const serverTime = Date.parse(answer.headers['x-server-time']);
        assert.ok(Math.abs(serverTime - Date.now()) < 5000, answer.headers['x-server-time']);
    }
    // With that time, it works.
    assert.equal((await exchange({})).status, 200);
});

test('an assertion that is over is refused with the server\'s time', async () => {
    const answer = await exchange({ claims: { iat: now() - 30, exp: now() - 10 } });
    assertProblem(answer, 401, 'auth.assertion_expired');
    assert.ok(answer.headers['x-server-time']);
});

test('somebody else\'s key, agent or algorithm is refused', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    assertProblem(await exchange({ key: privateKey }), 401, 'auth.assertion_bad_signature');
    const nobody = 'agt_01arz3ndektsv4rrffq69g5fav';
    assertProblem(await exchange({ claims: { iss: nobody, sub: nobody } }), 401, 'auth.unknown_key');
    const [, claims] = agent.assertion().split('.');
    const head = (header) => Buffer.from(JSON.stringify(header)).toString('base64url');
    assertProblem(await agent.exchange(`${head({ alg: 'none' })}.${claims}.`), 400, 'auth.assertion_malformed');
    // The public key as an HMAC secret: the classic confusion.
    const signed = `${head({ alg: 'HS256' })}.${claims}`;
    const mac = createHmac('sha256', Buffer.from(agent.publicKey, 'base64url')).update(signed).digest('base64url');
    assertProblem(await agent.exchange(`${signed}.${mac}`), 400, 'auth.assertion_malformed');
});

const malformed = {
    'another audience': { aud: 'https://other.example.com' },
    'no audience': { aud: undefined },
    'an hour of validity': { exp: now() + 3600 },
    'no end': { exp: undefined },
    'no beginning': { iat: undefined },
    'no jti': { jti: undefined },
    'an endless jti': { jti: 'x'.repeat(200) },
    'a jti with a line break': { jti: 'a\nb' },
    'another subject': { sub: 'agt_01arz3ndektsv4rrffq69g5fav' },
    'no agent\'s id': { iss: 'root', sub: 'root' },
    'text for a time': { iat: 'now' },
};
for (const [what, claims] of Object.entries(malformed))
    test(`an assertion with ${what} is malformed`, async () => {
        assertProblem(await exchange({ claims }), 400, 'auth.assertion_malformed');
    });

test('what is no JWT is malformed', async () => {
    for (const text of ['x', 'a.b.c', '..', 'é.é.é', 'a'.repeat(4000), `${agent.assertion()}.more`])
        assertProblem(await agent.exchange(text), 400, 'auth.assertion_malformed');
    assertProblem(await agent.exchange('a'.repeat(5000)), 400);
});

test('another grant is not supported', async () => {
    assertProblem(await agent.exchange(agent.assertion(), { grant_type: 'password' }), 400, 'auth.unsupported_grant');
    assertProblem(await agent.exchange(agent.assertion(), { client_assertion_type: 'x' }), 400, 'auth.unsupported_grant');
    const form = { 'content-type': 'application/json' };
    assertProblem(await controlPlane.call('POST', '/v1/auth/token', { headers: form, body: '{}' }), 415);
});

test('the audience may stand in a list, and unknown claims are no harm', async () => {
    const claims = { aud: ['https://other.example.com', agent.issuer], extra: { deep: [1, 2] }, jti: randomUUID() };
    assert.equal((await exchange({ claims })).status, 200);
});

test('agents and sessions outlive a move of the control plane to another address', async () => {
    const moving = await ControlPlane.start();
    try {
        const agent = await JsonAgent.start(moving);
        await moving.stop();
        moving.port = await freePort();
        moving.url = `http://127.0.0.1:${moving.port}`;
        await moving.serve();
        assert.equal((await moving.get('/v1/auth/me', { as: moving.owner })).status, 200, 'tokens from before');
        await agent.signIn();
        assert.equal((await agent.heartbeat()).status, 200);
    } finally {
        await moving.stop();
    }
});
