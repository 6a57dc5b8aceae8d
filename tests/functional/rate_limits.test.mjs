// How often one may ask: of an address without a valid credential, of a credential, of a tenant.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { eventually } from '../support/processes.mjs';

const kAddressLimit = 20;
let controlPlane;
let owner;
before(async () => {
    controlPlane = await ControlPlane.start({
        settings: ['--open-registration', 'true', '--trusted-proxies', '127.0.0.0/8', '--address-requests-per-minute', String(kAddressLimit)],
    });
    ({ owner } = controlPlane);
});
after(async () => { await controlPlane?.stop(); });

const from = (address) => ({ headers: { 'x-forwarded-for': address } });
const guess = (address) => controlPlane.post('/v1/auth/refresh', { refreshToken: 'rt_sx_guess' }, from(address));

// Asks until it is refused; gives back how often it was not, and the refusal.
async function ask(send, most = 200) {
    for (let served = 0; served < most; ++served) {
        const answer = await send();
        if (answer.status === 429) return { served, refusal: answer };
    }
    assert.fail(`${most} requests, and none was refused`);
}

test('an address that shows no valid credential is refused beyond its limit, and told when to come back', async () => {
    const first = await guess('203.0.113.1');
    assert.equal(first.headers['ratelimit-policy'], `"address";q=${kAddressLimit};w=60`);
    assert.match(first.headers.ratelimit, new RegExp(`^"address";r=${kAddressLimit - 1};t=\\d+$`));
    const { served, refusal } = await ask(() => guess('203.0.113.1'));
    // What flows back while it asks: one in three seconds.
    assert.ok(served >= kAddressLimit - 1, `${served} were served`);
    assertProblem(refusal, 429, 'request.rate_limited');
    const wait = Number(refusal.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 3, `Retry-After: ${wait}`);
    assert.match(refusal.json.detail, /This address may send 20 requests in 60 s/);
    assert.match(refusal.headers.ratelimit, /^"address";r=0;t=\d+$/);
    await eventually('it may ask again', async () => (await guess('203.0.113.1')).status === 401);
});

test('another address, and who is signed in behind the same one, go on', async () => {
    assert.equal((await controlPlane.get('/v1/auth/me', { as: owner, ...from('203.0.113.2') })).status, 200);
    await ask(() => guess('203.0.113.2'));
    assert.equal((await guess('203.0.113.3')).status, 401);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: owner, ...from('203.0.113.2') })).status, 200);
    assert.equal((await controlPlane.get('/healthz', from('203.0.113.2'))).status, 200);
});

test('wrong credentials count like none', async () => {
    const wrong = () => controlPlane.get('/v1/vms', { as: 'sk_sx_wrong', ...from('203.0.113.4') });
    assertProblem(await wrong(), 401);
    const { refusal } = await ask(wrong);
    assertProblem(refusal, 429, 'request.rate_limited');
});

test('all addresses of an IPv6 network of 64 bits are one', async () => {
    await ask(() => guess('2001:db8:0:1::1'));
    assert.equal((await guess('2001:db8:0:1:ffff::2')).status, 429);
    assert.equal((await guess('2001:db8:0:2::1')).status, 401);
});

test('a tenant beyond its plan is refused, and has it explained', async () => {
    const ada = await controlPlane.register('ada');  // Free: 300 a minute
    const me = () => controlPlane.get('/v1/auth/me', { as: ada });
    assert.match((await me()).headers['ratelimit-policy'], /^"tenant";q=300;w=60$/);
    const { served, refusal } = await ask(me, 2000);
    assert.ok(served >= 298, `${served} were served`);
    assertProblem(refusal, 429, 'request.rate_limited');
    assert.match(refusal.json.detail, /The tenant's plan allows 300 requests in 60 s/);
    const explained = await eventually('asking is allowed again', async () => {
        const answer = await controlPlane.get(`/v1/requests/${refusal.json.requestId}/explain`, { as: ada });
        return answer.status === 200 && answer.json;
    });
    assert.equal(explained.decidedBy, 'limit');
    assert.deepEqual(explained.limits.map(({ kind, requests, isOver }) => [kind, requests, isOver]), [['tenant', 300, true]]);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: owner })).status, 200, 'another tenant does not notice');
});

test('refusals for their rate are a number in the metrics, not a line each in the log', async () => {
    const metrics = (await controlPlane.get('/metrics')).text;
    const [, count] = /^synapsex_http_rate_limited_total\{limit="address"\} (\d+)$/m.exec(metrics);
    assert.ok(Number(count) >= 4, metrics);
    assert.equal(controlPlane.logLines.filter(({ status }) => status === 429).length, 0);
});
