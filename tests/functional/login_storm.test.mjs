// Somebody guesses passwords, from one address and from many, against accounts that exist and that
// do not. Nobody learns which do; who is signed in is served; nobody is kept out for long.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { allMessages } from '../support/outbox.mjs';

const kFree = 5;  // failures of one account from one address, then waits begin

let controlPlane;
let ada;
before(async () => {
    controlPlane = await ControlPlane.start({
        settings: ['--open-registration', 'true', '--trusted-proxies', '127.0.0.0/8', '--default-plan', 'enterprise'],
    });
    ada = await from('192.0.2.7').register('ada');
});
after(async () => { if (controlPlane?.process.isRunning) await controlPlane.stop(); });

// The control plane as a client behind the proxy with this address sees it.
function from(address) {
    const there = Object.create(controlPlane);
    there.call = (method, path, options = {}) =>
        controlPlane.call(method, path, { ...options, headers: { 'x-forwarded-for': address, ...options.headers } });
    return there;
}
const signIn = (email, password, address) => from(address).post('/v1/auth/login', { email, password });
const guess = (email, address) => signIn(email, 'not the password', address);

// The answer says nothing of who exists: the same but for the request's id.
const said = ({ status, headers, json }) => ({ status, retryAfter: headers['retry-after'], code: json.code, title: json.title });

test('an account that exists and one that does not are refused and held up alike', async () => {
    const address = '198.51.100.1';
    const seen = {};
    for (const email of [ada.email, 'nobody@example.com']) {
        seen[email] = [];
        for (let i = 0; i < kFree; ++i) seen[email].push(said(await guess(email, address)));
    }
    assert.deepEqual(seen[ada.email], seen['nobody@example.com']);
    for (const { status, code } of seen[ada.email]) assert.deepEqual([status, code], [401, 'auth.login_failed']);
    for (const [email, password] of [[ada.email, ada.password], [ada.email, 'wrong'], ['nobody@example.com', 'wrong']]) {
        const answer = await signIn(email, password, address);
        const { detail } = assertProblem(answer, 429, 'auth.too_many_attempts');
        assert.ok(Number(answer.headers['retry-after']) >= 1 && Number(answer.headers['retry-after']) <= 15, answer.headers['retry-after']);
        assert.match(detail, /Wait \d+ s/);
    }
});

test('the wait holds after a restart, ends by itself, and is for that address alone', async () => {
    assert.equal((await signIn(ada.email, ada.password, '192.0.2.99')).status, 200, 'another address');
    await controlPlane.stop();
    // However long the start takes: half a minute ahead, as the clock of another replica may be.
    const now = `${Date.now()} * 1000`;
    controlPlane.database.run(`UPDATE auth_sign_in_locks SET failed_at = ${now} + 30000000`);
    await controlPlane.serve();
    assertProblem(await signIn(ada.email, ada.password, '198.51.100.1'), 429, 'auth.too_many_attempts');
    await controlPlane.stop();
    controlPlane.database.run(`UPDATE auth_sign_in_locks SET failed_at = ${now} - 16000000`);
    await controlPlane.serve();
    assert.equal((await signIn(ada.email, ada.password, '198.51.100.1')).status, 200);
    const [{ n }] = controlPlane.database.rows('SELECT count(*) AS n FROM auth_sign_in_locks');
    assert.equal(n, 1, 'that of the account that does not exist');
});

test('a storm from many addresses is refused with Retry-After, and everybody else is served', async () => {
    const key = (await controlPlane.must('POST', '/v1/auth/keys', { name: 'ci' })).key;
    let isOver = false;
    const served = { me: 0, list: 0, byKey: 0 };
    const serve = async (what, path, as) => {
        while (!isOver) {
            const answer = await controlPlane.get(path, { as });
            assert.equal(answer.status, 200, answer.text);
            ++served[what];
        }
    };
    const clients = [
        serve('me', '/v1/auth/me', ada), serve('list', '/v1/auth/keys', controlPlane.owner), serve('byKey', '/v1/tenants', key),
    ];
    const counts = {};
    const storm = Array.from({ length: 40 }, async (_, i) => {
        for (let round = 0; round < 6; ++round) {
            // A third of them at one account, the others at many that do not exist.
            const email = i % 3 === 0 ? ada.email : `user${i}-${round}@example.com`;
            const answer = await guess(email, `203.0.113.${i}`);
            counts[answer.status] = (counts[answer.status] ?? 0) + 1;
            if (answer.status === 401) continue;
            assert.ok([429, 503].includes(answer.status), answer.text);
            assert.ok(Number(answer.headers['retry-after']) >= 1, answer.text);
        }
    });
    await Promise.race([Promise.all(storm), Promise.all(clients)]);
    isOver = true;
    await Promise.all(clients);
    assert.equal(Object.values(counts).reduce((sum, n) => sum + n, 0), 240);
    assert.ok((counts[429] ?? 0) + (counts[503] ?? 0) > 0, JSON.stringify(counts));
    assert.ok(served.me > 0 && served.list > 0 && served.byKey > 0, JSON.stringify(served));
    assert.equal((await from('192.0.2.7').get('/v1/auth/me', { as: ada })).status, 200, 'a session is not touched');
    assert.equal((await from('192.0.2.7').post('/v1/auth/refresh', { refreshToken: ada.refreshToken })).status, 200);
    assert.equal((await signIn(ada.email, ada.password, '192.0.2.7')).status, 200, 'where a session is, the crowd holds nobody up');
});

test('what was refused is told in few records, without what was typed', async () => {
    for (let i = 0; i < kFree + 3; ++i) await guess('my-secret-password', '198.51.100.77');
    await controlPlane.stop();  // which tells of the minute that is not over
    const refused = allMessages(controlPlane.database).filter(({ type }) => type === 'sign_in.refused');
    const sum = (records, what) => records.reduce((total, { data }) => total + JSON.parse(data)[what], 0);
    const typed = refused.filter(({ clientAddress }) => clientAddress === '198.51.100.77');
    assert.ok(typed.length >= 1 && typed.length <= 2, 'one for each minute');
    assert.deepEqual([sum(typed, 'wrong'), sum(typed, 'heldUp')], [kFree, 3]);
    const ofAda = refused.filter(({ subject }) => subject === ada.id);
    assert.ok(ofAda.length > 0 && ofAda.every(({ tenantId }) => tenantId === ada.tenantId));
    assert.ok(refused.length < 240, `${refused.length} records`);
    assert.ok(!JSON.stringify(refused).includes('my-secret'));
    await controlPlane.serve();
});
