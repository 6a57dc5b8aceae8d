// Sessions: kept by refresh tokens, also where two tabs refresh at once, an answer is lost or the
// server dies; ended by their user, or because a token was used twice.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { allMessages } from '../support/outbox.mjs';
import { eventually, freePort, temporaryFolder } from '../support/processes.mjs';

const kGraceSeconds = 20;

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] }); });
after(async () => { await controlPlane?.stop(); });

const refresh = (refreshToken, at = controlPlane, options = {}) =>
    at.post('/v1/auth/refresh', { refreshToken }, options);
const refreshed = async (...words) => {
    const answer = await refresh(...words);
    assert.equal(answer.status, 200, answer.text);
    return { accessToken: answer.json.access_token, refreshToken: answer.json.refresh_token };
};
const me = (person, at = controlPlane) => at.get('/v1/auth/me', { as: person });
const messagesOf = (type) => allMessages(controlPlane.database).filter((message) => message.type === type)
    .map((message) => ({ ...message, data: JSON.parse(message.data), actor: JSON.parse(message.actor) }));
const signIn = () => controlPlane.signIn(controlPlane.credentials);
const sessionOf = async (person) => (await me(person)).json.credentialId;

// As if refresh tokens had been used that much earlier, or later; the control plane starts anew, as
// a SQLite file has one process.
async function shiftUses(seconds) {
    if (controlPlane.process.isRunning) await controlPlane.stop();
    const by = `${seconds} * 1000000`;
    controlPlane.database.run(`UPDATE auth_sessions SET previous_used_at = previous_used_at - ${by}, older_used_at = older_used_at - ${by}`);
    await controlPlane.serve();
}

test('two tabs that refresh at once both stay signed in, with one refresh token', async () => {
    const person = await signIn();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(person.refreshToken)));
    for (const answer of answers) {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.refresh_token, answers[0].json.refresh_token);
        assert.equal((await me(answer.json.access_token)).status, 200);
    }
    assert.equal(new Set(answers.map(({ json }) => json.access_token)).size, answers.length, 'each has an access token of its own');
    await refreshed(answers[0].json.refresh_token);
});

test('a tab that is two behind is told so, and the session goes on', async () => {
    const person = await signIn();
    const next = await refreshed(person.refreshToken);
    const latest = await refreshed(next.refreshToken);
    assertProblem(await refresh(person.refreshToken), 409, 'auth.refresh_superseded');
    assert.equal((await me(latest)).status, 200);
    await refreshed(latest.refreshToken);
});

test('kill -9 between the commit and the answer: the client repeats the call and stays signed in', async () => {
    const person = await signIn();
    const lost = await refreshed(person.refreshToken);
    await controlPlane.killHard();
    // However long the start takes on a busy machine: the grace is not what is tried here.
    await shiftUses(-60);
    const again = await refreshed(person.refreshToken);
    assert.equal(again.refreshToken, lost.refreshToken);
    assert.equal((await me(again)).status, 200);
});

test('a token that is used again after the grace ends its session, and that one only', async () => {
    const [victim, other] = [await signIn(), await signIn()];
    const session = await sessionOf(victim);
    const thief = await refreshed(victim.refreshToken);
    await shiftUses(kGraceSeconds + 1);
    assert.equal((await me(thief)).status, 200, 'sessions survive a restart');
    const refused = await refresh(victim.refreshToken, controlPlane, { headers: { 'user-agent': 'the victim' } });
    const { detail } = assertProblem(refused, 401, 'auth.refresh_reused');
    assert.match(detail, /Sign in again/);
    assertProblem(await me(thief), 401, 'auth.credential_revoked');
    assertProblem(await refresh(thief.refreshToken), 401, 'auth.refresh_invalid');
    assert.equal((await me(other)).status, 200);
    await refreshed(other.refreshToken);
    const [message] = messagesOf('session.reuse_detected').filter(({ subject }) => subject === session);
    assert.equal(message.clientAddress, '127.0.0.1');
    assert.equal(message.data.userAgent, 'the victim');
    assert.equal(message.tenantId, controlPlane.owner.tenantId);
});

test('a user sees where they are signed in, and ends one session at once', async () => {
    const ada = await controlPlane.register('ada');
    const hostile = `phone\u00e9 <b>\t${'x'.repeat(500)}`;
    const answer = await controlPlane.post('/v1/auth/login', { email: ada.email, password: ada.password }, { headers: { 'user-agent': hostile } });
    const phone = answer.json.access_token;
    const { items, nextCursor } = (await controlPlane.get('/v1/auth/sessions', { as: ada })).json;
    assert.equal(items.length, 2);
    assert.equal(nextCursor, null);
    assert.deepEqual(Object.keys(items[0]).sort(), [
        'createdAt', 'expiresAt', 'id', 'isCurrent', 'lastAddress', 'lastRefreshedAt', 'signedInAt', 'userAgent',
    ]);
    assert.equal(items[0].id, await sessionOf(phone), 'the newest first');
    assert.match(items[0].userAgent, /^phone\?+ <b>\?x+$/);
    assert.equal(items[0].userAgent.length, 200);
    assert.equal(items[0].lastAddress, '127.0.0.1');
    assert.deepEqual(items.map(({ isCurrent }) => isCurrent), [false, true]);

    const path = `/v1/auth/sessions/${items[0].id}`;
    assertProblem(await controlPlane.delete(path, { as: controlPlane.owner }), 404, 'auth.session_not_found');
    assert.equal((await me(phone)).status, 200);
    assert.ok((await controlPlane.delete(path, { as: ada })).status < 300);
    assertProblem(await me(phone), 401, 'auth.credential_revoked');
    assertProblem(await controlPlane.delete(path, { as: ada }), 404, 'auth.session_not_found');
    assertProblem(await controlPlane.delete('/v1/auth/sessions/nonsense', { as: ada }), 400);
});

test('signing out ends the session of the call; everywhere ends all, or all others', async () => {
    const bob = await controlPlane.register('bob');
    const again = () => controlPlane.signIn(bob);
    const [first, second, third] = [await again(), await again(), await again()];
    assert.ok((await controlPlane.post('/v1/auth/logout', undefined, { as: first })).status < 300);
    assertProblem(await me(first), 401, 'auth.credential_revoked');
    assertProblem(await refresh(first.refreshToken), 401, 'auth.refresh_invalid');
    const others = await controlPlane.post('/v1/auth/logout-everywhere', { keepCurrent: true }, { as: second });
    assert.deepEqual(others.json, { sessionsEnded: 2 });
    assertProblem(await me(third), 401, 'auth.credential_revoked');
    assert.equal((await me(second)).status, 200);
    assert.deepEqual((await controlPlane.post('/v1/auth/logout-everywhere', {}, { as: second })).json, { sessionsEnded: 1 });
    assertProblem(await me(second), 401, 'auth.credential_revoked');
    assertProblem(await controlPlane.post('/v1/auth/logout-everywhere', { keepCurent: true }, { as: await again() }), 400);
});

test('another password ends all other sessions at once and leaves API keys', async () => {
    const eve = await controlPlane.register('eve');
    const elsewhere = await controlPlane.signIn(eve);
    const { key } = (await controlPlane.post('/v1/auth/keys', { name: 'ci' }, { as: eve })).json;
    const wish = { currentPassword: eve.password, newPassword: 'another and long password' };
    const change = (body, headers = {}) => controlPlane.post('/v1/auth/password', body, { as: eve, headers });
    assertProblem(await change({ ...wish, currentPassword: 'not it' }), 403, 'auth.password_wrong');
    assertProblem(await change({ ...wish, newPassword: 'too short' }), 400);
    assert.equal((await me(elsewhere)).status, 200, 'nothing has happened yet');

    const headers = { 'idempotency-key': 'change-1' };
    const changed = await change(wish, headers);
    assert.ok(changed.status < 300, changed.text);
    const repeated = await change(wish, headers);
    assert.equal(repeated.status, changed.status, 'a lost answer may be asked for again');
    assert.equal(repeated.headers['idempotent-replayed'], 'true');
    assertProblem(await me(elsewhere), 401, 'auth.credential_revoked');
    assert.equal((await me(eve)).status, 200);
    assert.equal((await me(key)).status, 200);
    assertProblem(await controlPlane.post('/v1/auth/login', { email: eve.email, password: eve.password }), 401, 'auth.login_failed');
    await controlPlane.signIn({ email: eve.email, password: wish.newPassword });
    const [message] = messagesOf('user.password_changed');
    assert.equal(message.subject, eve.id);
    assert.deepEqual(message.data, { sessionsEnded: 1 });
    const told = JSON.stringify(allMessages(controlPlane.database));
    for (const password of [eve.password, wish.newPassword]) assert.ok(!told.includes(password));
});

test('an API key sees and ends no sessions, and changes no password', async () => {
    const { key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'ci' });
    for (const [method, path, body] of [
        ['GET', '/v1/auth/sessions'], ['DELETE', `/v1/auth/sessions/${await sessionOf(controlPlane.owner)}`],
        ['POST', '/v1/auth/logout'], ['POST', '/v1/auth/logout-everywhere', {}],
        ['POST', '/v1/auth/password', { currentPassword: 'x', newPassword: 'a new and long password' }],
    ]) assertProblem(await controlPlane.call(method, path, { as: key, body }), 403, 'auth.sign_in_required');
    assert.equal((await me(controlPlane.owner)).status, 200);
});

test('a sign-in is told with its session, and a session that ended with why', async () => {
    const person = await signIn();
    const session = await sessionOf(person);
    await controlPlane.post('/v1/auth/logout', undefined, { as: person });
    const [created] = messagesOf('session.created').filter(({ subject }) => subject === session);
    assert.deepEqual(created.actor, [{ type: 'user', id: person.id }, { type: 'session', id: session }]);
    const [ended] = messagesOf('session.ended').filter(({ subject }) => subject === session);
    assert.deepEqual(ended.data, { reason: 'ended_by_user' });
});

test('synapsexctl shows sessions, ends them, changes the password and signs out everywhere', async () => {
    const person = await controlPlane.register('cleo');
    const [cli, other] = [new Cli(controlPlane), new Cli(controlPlane)];
    const ok = (done) => {
        assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
        return done.stdout;
    };
    for (const each of [cli, other]) ok(await each.login(person));
    const { items } = JSON.parse(ok(await cli.run(['sessions', 'list', '--json'])));
    assert.equal(items.length, 3);
    assert.match(items[0].userAgent, /^synapsexctl\/\d/);
    const shown = ok(await cli.run(['sessions', 'list']));
    assert.match(shown, new RegExp(`${items.find(({ isCurrent }) => isCurrent).id} \\(this one\\)`));
    assert.match(ok(await cli.run(['sessions', 'revoke', items[2].id])), /Ended ses_/);
    assert.equal((await me(person)).status, 401);

    const newPassword = 'cleo has another password';
    const wrong = await cli.run(['password', '--passwords-stdin'], { input: `wrong\n${newPassword}\n` });
    assert.equal(wrong.code, 3, wrong.stderr);
    assert.match(wrong.stderr, /current password is wrong/);
    ok(await cli.run(['password', '--passwords-stdin'], { input: `${person.password}\n${newPassword}\n` }));
    assert.equal((await other.run(['whoami'])).code, 3, 'ended by the new password');
    ok(await other.login({ email: person.email, password: newPassword }));
    ok(await other.run(['logout']));
    assert.equal(JSON.parse(ok(await cli.run(['sessions', 'list', '--json']))).items.length, 1, 'the server was told');
    ok(await other.login({ email: person.email, password: newPassword }));
    assert.match(ok(await cli.run(['logout', '--everywhere'])), /everywhere/);
    for (const each of [cli, other]) assert.equal((await each.run(['whoami'])).code, 3);
});

test('two replicas give one successor, and what one ends the other refuses', { skip: !isPostgres && 'a SQLite file has one process' }, async () => {
    const second = new ControlPlane({ settings: controlPlane.settings, folder: temporaryFolder(), env: {}, port: await freePort() });
    cpSync(controlPlane.dataDir, second.dataDir, { recursive: true });
    await second.serve();
    const person = await signIn();
    const replicas = [controlPlane, second];
    for (let round = 0, token = person.refreshToken; round < 5; ++round) {
        const answers = await Promise.all([0, 1, 0, 1].map((i) => refresh(token, replicas[i])));
        for (const answer of answers) {
            assert.equal(answer.status, 200, answer.text);
            assert.equal(answer.json.refresh_token, answers[0].json.refresh_token);
        }
        token = answers[0].json.refresh_token;
    }
    assert.equal((await me(person, second)).status, 200, 'it remembers who that is');
    await controlPlane.post('/v1/auth/logout', undefined, { as: person });
    await eventually('the other replica has heard of it', async () => (await me(person, second)).status === 401);
    await second.stop();
});
