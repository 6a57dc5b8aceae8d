// What services say to each other about a call (X-SynapseX-Context), made from its description in
// docs/decisions/0034-signed-context.md alone: with it a test is the gateway, another service, or
// somebody who would like to be one.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

import { request } from './http.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const digest = (text) => createHash('sha256').update(text).digest('base64url');

export class CallingService {
    constructor(name) {
        this.name = name;
        const { publicKey, privateKey } = generateKeyPairSync('ed25519');
        this.privateKey = privateKey;
        this.publicKey = publicKey.export({ format: 'jwk' }).x;
    }

    // `call` is what the claims say of it; `claims` and `header` replace members.
    context(callee, { method = 'GET', target, body = '', call, claims = {}, header = {} }) {
        const now = Math.floor(Date.now() / 1000);
        const payload = {
            iss: this.name, aud: callee, iat: now, exp: now + 30,
            jti: randomBytes(16).toString('base64url'),
            method, targetDigest: digest(target), bodyDigest: digest(body), call, ...claims,
        };
        const text = `${encode({ alg: 'EdDSA', typ: 'synapsex-context+jwt', ...header })}.${encode(payload)}`;
        return `${text}.${sign(null, Buffer.from(text), this.privateKey).toString('base64url')}`;
    }

    // Signs and sends; `sent` is what goes out other than what was signed.
    ask(port, callee, { method = 'GET', target, body, call, claims, header, sent = {} }) {
        const bytes = body === undefined ? undefined : JSON.stringify(body);
        const context = this.context(callee, { method, target, body: bytes ?? '', call, claims, header });
        const headers = { 'x-synapsex-context': context };
        if (bytes !== undefined) headers['content-type'] = 'application/json';
        return request(`http://127.0.0.1:${port}${sent.target ?? target}`, {
            method: sent.method ?? method, headers: { ...headers, ...sent.headers }, body: sent.body ?? bytes,
        });
    }
}

// A call of a person in their tenant, as the gateway would tell it.
export function callOf(person, { scopes, role = 'owner', requestId = 'req-of-a-test' }) {
    return {
        requestId, tenant: person.tenantId, traceparent: '', clientAddress: '192.0.2.7', argumentDigest: '',
        deadlineMs: 20_000,
        principal: {
            kind: 'user', tenant: person.tenantId, user: person.id, credentialId: 'ses_test', role, scopes,
            standing: { state: 'active', reason: '' }, email: person.email, fullName: 'Olive Owner',
        },
    };
}
