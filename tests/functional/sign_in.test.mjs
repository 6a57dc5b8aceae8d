// Users sign in, stay signed in, and are refused without a word too much.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

test('a login gives tokens in the names of OAuth and a user in ours', async () => {
    const answer = await controlPlane.post('/v1/auth/login', controlPlane.credentials);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ['access_token', 'expires_in', 'refresh_token', 'token_type', 'user']);
    assert.equal(answer.json.token_type, 'bearer');
    assert.equal(answer.json.user.email, 'owner@example.com');
    assert.equal(answer.json.user.tenantId, controlPlane.owner.tenantId);
});

test('a wrong password and an unknown e-mail read the same', async () => {
    const wrong = await controlPlane.post('/v1/auth/login', { email: 'owner@example.com', password: 'no, this is not it' });
    const unknown = await controlPlane.post('/v1/auth/login', { email: 'nobody@example.com', password: 'no, this is not it' });
    assertProblem(wrong, 401, 'auth.login_failed');
    assertProblem(unknown, 401, 'auth.login_failed');
    assert.equal(wrong.json.detail, unknown.json.detail);
});

test('me says who the credential is', async () => {
    const me = await controlPlane.must('GET', '/v1/auth/me');
    assert.equal(me.kind, 'user');
    assert.equal(me.email, 'owner@example.com');
    assert.equal(me.fullName, 'Olive Owner');
    assert.equal(me.role, 'owner');
    assert.equal(me.tenantId, controlPlane.owner.tenantId);
});

test('no credential, a wrong one and a tampered one are refused with a code each', async () => {
    const none = await controlPlane.get('/v1/auth/me');
    assertProblem(none, 401, 'auth.credential_missing');
    assert.match(none.headers['www-authenticate'], /^Bearer/);
    assertProblem(await controlPlane.get('/v1/auth/me', { as: 'nonsense' }), 401, 'auth.credential_invalid');
    const [header, claims, signature] = controlPlane.owner.accessToken.split('.');
    const other = Buffer.from(claims, 'base64url').toString().replace('owner@', 'other@').replace(/"exp":\d+/, '"exp":9999999999');
    const tampered = `${header}.${Buffer.from(other).toString('base64url')}.${signature}`;
    assertProblem(await controlPlane.get('/v1/auth/me', { as: tampered }), 401, 'auth.credential_invalid');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
    assertProblem(await controlPlane.get('/v1/auth/me', { as: unsigned }), 401, 'auth.credential_invalid');
    const both = { authorization: `Bearer ${controlPlane.owner.accessToken}`, 'x-api-key': 'sk_sx_whatever' };
    assertProblem(await controlPlane.get('/v1/auth/me', { headers: both }), 401, 'auth.credential_malformed');
});

test('a refresh token works once, and the new one goes on', async () => {
    const first = await controlPlane.signIn(controlPlane.credentials);
    const second = await controlPlane.post('/v1/auth/refresh', { refreshToken: first.refreshToken });
    assert.equal(second.status, 200, second.text);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: second.json.access_token })).status, 200);
    assert.notEqual(second.json.refresh_token, first.refreshToken);
    const third = await controlPlane.post('/v1/auth/refresh', { refresh_token: second.json.refresh_token });
    assert.equal(third.status, 200, third.text);
    assertProblem(await controlPlane.post('/v1/auth/refresh', { refreshToken: 'rt_sx_unknown' }), 401, 'auth.refresh_invalid');
});

test('registration is closed unless the operator opens it', async () => {
    const wish = { email: 'new@example.com', password: 'a long enough password', fullName: 'New' };
    assertProblem(await controlPlane.post('/v1/auth/register', wish), 403, 'auth.registration_closed');
});

test('where registration is open, a user registers with a tenant of their own', async () => {
    const open = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    const ada = await open.register('ada');
    assert.notEqual(ada.tenantId, open.owner.tenantId);
    const me = (await open.get('/v1/auth/me', { as: ada })).json;
    assert.equal(me.role, 'owner');
    assert.equal(me.tenantId, ada.tenantId);
    const again = { email: 'ADA@example.com', password: 'another long password' };
    assertProblem(await open.post('/v1/auth/register', again), 409, 'auth.email_taken');
    assertProblem(await open.post('/v1/auth/register', { email: 'bob@example.com', password: 'short' }), 400);
    assertProblem(await open.post('/v1/auth/register', { email: 'no address', password: 'a long enough password' }), 400);
    await open.stop();
});

test('a session survives a restart, since tokens are signed and not remembered', async () => {
    const person = await controlPlane.signIn(controlPlane.credentials);
    await controlPlane.restart();
    assert.equal((await controlPlane.get('/v1/auth/me', { as: person })).status, 200);
});
