// jose, as a resource server elsewhere would use it: our key set verifies our access tokens, and
// nothing else passes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';

import * as jose from 'jose';

import { ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/jose/package.json', import.meta.url)));

let controlPlane;
let remoteKeys;
let options;
before(async () => {
    controlPlane = await ControlPlane.start();
    remoteKeys = jose.createRemoteJWKSet(new URL(`${controlPlane.url}/v1/auth/jwks.json`));
    // What this server promises of its tokens, taken from one of them and from its address.
    options = { issuer: controlPlane.url, algorithms: ['EdDSA'] };
});
after(async () => { await controlPlane?.stop(); });

test('the client is named', (t) => { t.diagnostic(`jose ${version}`); });

test('the key set is one of public keys', async () => {
    const { keys } = (await controlPlane.get('/v1/auth/jwks.json')).json;
    assert.ok(keys.length >= 1);
    for (const key of keys) {
        assert.equal(key.d, undefined, 'never the private half');
        const imported = await jose.importJWK(key, 'EdDSA');
        assert.equal(imported.type, 'public');
        const thumbprint = await jose.calculateJwkThumbprint(key);
        assert.ok(thumbprint.startsWith(key.kid), 'the kid comes from the thumbprint of RFC 7638');
    }
});

test('a user\'s access token verifies, from the fetched set and from a local one', async () => {
    const { payload, protectedHeader } = await jose.jwtVerify(controlPlane.owner.accessToken, remoteKeys, options);
    assert.equal(protectedHeader.alg, 'EdDSA');
    assert.equal(payload.sub, controlPlane.owner.id);
    assert.equal(payload.iss, controlPlane.url);
    assert.ok(payload.exp - payload.iat <= 3600 && payload.exp > payload.iat);
    const set = (await controlPlane.get('/v1/auth/jwks.json')).json;
    await jose.jwtVerify(controlPlane.owner.accessToken, jose.createLocalJWKSet(set), { ...options, audience: payload.aud });
});

test('an agent\'s access token verifies, and says whose it is', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const { payload } = await jose.jwtVerify(agent.accessToken, remoteKeys, options);
    assert.equal(payload.sub, agent.agentId);
});

test('an assertion that jose signs is taken', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const assertion = await new jose.SignJWT({ jti: `jose-${Date.now()}` })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
        .setIssuer(agent.agentId).setSubject(agent.agentId).setAudience(agent.issuer)
        .setIssuedAt().setExpirationTime('60s')
        .sign(agent.privateKey);
    const answer = await agent.exchange(assertion);
    assert.equal(answer.status, 200, answer.text);
    await jose.jwtVerify(answer.json.access_token, remoteKeys, options);
});

test('another audience or issuer, another algorithm and a changed token are refused', async () => {
    const token = controlPlane.owner.accessToken;
    const refused = (promise, code) => assert.rejects(promise, (error) => error.code === code || assert.fail(error));
    await refused(jose.jwtVerify(token, remoteKeys, { ...options, audience: 'https://other.example.com' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    await refused(jose.jwtVerify(token, remoteKeys, { ...options, issuer: 'https://other.example.com' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    await refused(jose.jwtVerify(token, remoteKeys, { algorithms: ['RS256'] }), 'ERR_JOSE_ALG_NOT_ALLOWED');
    const [header, claims, signature] = token.split('.');
    const changed = Buffer.from(claims, 'base64url').toString().replace(controlPlane.owner.id, 'usr_01arz3ndektsv4rrffq69g5fav');
    await refused(
        jose.jwtVerify(`${header}.${Buffer.from(changed).toString('base64url')}.${signature}`, remoteKeys, options),
        'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    );
});

test('a token of another server is refused', async () => {
    const other = await ControlPlane.start();
    const wrong = jose.jwtVerify(other.owner.accessToken, remoteKeys, options);
    await assert.rejects(wrong, (error) => /^ERR_(JWKS_NO_MATCHING_KEY|JWT_CLAIM_VALIDATION_FAILED)$/.test(error.code) || assert.fail(error));
    await other.stop();
});
