// Services at ports of their own: who brings a context that a known service signed is served, and
// nobody else, whatever else they bring.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { request } from '../support/http.mjs';
import { temporaryFolder } from '../support/processes.mjs';
import { CallingService, callOf } from '../support/signed_context.mjs';

const gateway = new CallingService('api-gateway');
const auth = new CallingService('auth-service');
const vms = new CallingService('vm-registry-service');

const folder = temporaryFolder();
const keyFolder = join(folder, 'control plane', 'service-keys');
let controlPlane;
let ports;  // by service
before(async () => {
    mkdirSync(keyFolder, { recursive: true });
    chmodSync(join(folder, 'control plane'), 0o700);
    for (const service of [gateway, auth, vms])
        writeFileSync(join(keyFolder, `${service.name}.pub`), `# of a test\n${service.publicKey}\n`);
    controlPlane = await ControlPlane.start({ settings: ['--service-ports', 'any'], folder });
    ports = Object.fromEntries(
        controlPlane.logLines.filter(({ message }) => message === "service's port is open").map(({ service, port }) => [service, port]),
    );
});
after(async () => { await controlPlane?.stop(); });

const owner = (scopes, more = {}) => callOf(controlPlane.owner, { scopes, ...more });
const askTenants = (more) => gateway.ask(ports['tenant-service'], 'tenant-service', more);
const own = () => ({ target: `/v1/tenants/${controlPlane.owner.tenantId}`, call: owner(['tenants.read', 'tenants.write']) });

// At a port no answer has a header with the request id: the one who called knows it.
function assertRefused(answer, code) {
    assert.equal(answer.status, 401, answer.text);
    assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json\b/);
    assert.equal(answer.json.code, code, answer.text);
    assert.ok(answer.json.detail.length > 20, answer.text);
    return answer.json;
}

test('every service but the gateway has a port', () => {
    assert.deepEqual(
        Object.keys(ports).sort(),
        JSON.parse(readFileSync(new URL('../architecture/services.json', import.meta.url), 'utf8'))
            .filter(({ state, name }) => state === 'built' && name !== 'api-gateway').map(({ name }) => name).sort(),
    );
});

test('the gateway of another process reads and changes a tenant, and its own log line says so', async () => {
    const read = await askTenants(own());
    assert.equal(read.status, 200, read.text);
    assert.equal(read.json.name, 'Main Street');
    const changed = await askTenants({ ...own(), method: 'PATCH', body: { name: 'Side Street' } });
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await controlPlane.must('GET', own().target)).name, 'Side Street');
    const line = controlPlane.logLines.findLast(({ message }) => message === 'service request');
    assert.equal(line.service, 'tenant-service');
    assert.equal(line.caller, 'api-gateway');
    assert.equal(line.requestId, 'req-of-a-test');
    assert.equal(line.tenantId, controlPlane.owner.tenantId);
});

test('who the context says is calling counts: scopes, tenant, and the kind of caller', async () => {
    const viewer = await askTenants({ ...own(), method: 'PATCH', body: { name: 'X' }, call: owner(['tenants.read'], { role: 'viewer' }) });
    assert.equal(viewer.status, 403, viewer.text);
    assert.equal(viewer.json.code, 'auth.scope_missing');
    assert.equal(viewer.json.requestId, 'req-of-a-test');
    const { target } = own();
    const stranger = callOf({ ...controlPlane.owner, id: `usr_${'0'.repeat(26)}`, tenantId: `ten_${'0'.repeat(26)}` }, { scopes: ['tenants.read'] });
    assert.equal((await askTenants({ target, call: stranger })).status, 404);
    const agent = owner([]);
    agent.principal.kind = 'agent';
    assert.equal((await askTenants({ target, call: agent })).status, 403);
});

test('nothing unsigned is served, with no credential and no field that names somebody', async () => {
    const { target } = own();
    for (const [service, port] of Object.entries(ports)) {
        const url = `http://127.0.0.1:${port}`;
        assertRefused(await request(url + target), 'context.missing');
        const headers = {
            authorization: `Bearer ${controlPlane.owner.accessToken}`, 'x-tenant-id': controlPlane.owner.tenantId,
            'x-user-id': controlPlane.owner.id, 'x-forwarded-for': '127.0.0.1',
        };
        assertRefused(await request(url + target, { headers }), 'context.missing');
        assertRefused(await request(`${url}/v1/auth/login`, { method: 'POST', body: {} }), 'context.missing');
        assertRefused(await request(`${url}/v1/auth/jwks.json`), 'context.missing');
        assertRefused(await request(`${url}/metrics`), 'context.missing');
        assert.equal((await request(`${url}/healthz`)).status, 200, service);
        const ready = await request(`${url}/readyz`);
        assert.equal(ready.status, 200, ready.text);
        assert.ok(ready.json.checks.every(({ name }) => name.startsWith(`${service}.`)), ready.text);
    }
});

test('a context for one service is nothing at another', async () => {
    const wish = own();
    const context = gateway.context('auth-service', wish);
    const answer = await request(`http://127.0.0.1:${ports['tenant-service']}${wish.target}`, { headers: { 'x-synapsex-context': context } });
    assertRefused(answer, 'context.wrong_audience');
});

test('a service calls along the edges of the table, and no other', async () => {
    const allowed = await auth.ask(ports['tenant-service'], 'tenant-service', own());
    assert.equal(allowed.status, 200, allowed.text);
    assertRefused(await vms.ask(ports['tenant-service'], 'tenant-service', own()), 'context.edge_not_allowed');
    assertRefused(await auth.ask(ports['vm-registry-service'], 'vm-registry-service', own()), 'context.edge_not_allowed');
});

test('who signs as another service, or as none, is found out', async () => {
    const impostor = new CallingService('api-gateway');
    assertRefused(await impostor.ask(ports['tenant-service'], 'tenant-service', own()), 'context.bad_signature');
    const unknown = new CallingService('policy-service');
    const refusal = assertRefused(await unknown.ask(ports['tenant-service'], 'tenant-service', own()), 'context.unknown_caller');
    assert.match(refusal.detail, /service-keys\/policy-service\.pub/);
    assertRefused(await askTenants({ ...own(), header: { alg: 'none' } }), 'context.malformed');
});

test('a context is for one request: method, path, query, body', async () => {
    const wish = own();
    assertRefused(await askTenants({ ...wish, sent: { method: 'DELETE' } }), 'context.other_method');
    assertRefused(await askTenants({ ...wish, sent: { target: '/v1/tenants' } }), 'context.other_target');
    assertRefused(await askTenants({ ...wish, sent: { target: `${wish.target}?a=1` } }), 'context.other_target');
    const change = { ...wish, method: 'PATCH', body: { name: 'Good' } };
    assertRefused(await askTenants({ ...change, sent: { body: '{"name":"Evil"}' } }), 'context.other_body');
    assert.notEqual((await controlPlane.must('GET', wish.target)).name, 'Evil');
});

test('a context that is old, of the future or meant to last is refused', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const [claims, code] of [
        [{ iat: now - 70, exp: now - 40 }, 'context.expired'],
        [{ iat: now + 60, exp: now + 90 }, 'context.not_yet_valid'],
        [{ iat: now, exp: now + 3600 }, 'context.too_long'],
    ])
        assertRefused(await askTenants({ ...own(), claims }), code);
});

test('a change that somebody recorded is not made a second time', async () => {
    const wish = { method: 'POST', target: `/v1/tenants`, body: JSON.stringify({ name: 'Once', slug: 'once' }), call: owner([]) };
    const headers = { 'x-synapsex-context': gateway.context('tenant-service', wish), 'content-type': 'application/json' };
    const replay = () => request(`http://127.0.0.1:${ports['tenant-service']}/v1/tenants`, { method: 'POST', headers, body: wish.body });
    const first = await replay();
    assert.equal(first.status, 201, first.text);
    assertRefused(await replay(), 'context.replayed');
});

test('the public port takes no context: it is dropped, like fields that name somebody', async () => {
    const context = gateway.context('auth-service', { target: '/v1/auth/me', call: owner([]) });
    const headers = { 'x-synapsex-context': context, 'x-user-id': controlPlane.owner.id };
    assertProblem(await controlPlane.get('/v1/auth/me', { headers }), 401, 'auth.credential_missing');
    const key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'plain' });
    const me = await controlPlane.get('/v1/auth/me', { as: key.key, headers });
    assert.equal(me.json.kind, 'api_key', me.text);
});

test('service-key prints what the other machine needs; the key is private and listed', async () => {
    const printed = await controlPlane.run(['service-key', ...controlPlane.flags]);
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /^[A-Za-z0-9_-]{43}\n$/);
    assert.equal(statSync(join(controlPlane.dataDir, 'keys', 'services.pem')).mode & 0o777, 0o600);
    const listed = await controlPlane.run(['keys', ...controlPlane.flags]);
    assert.ok(listed.stdout.split('\n').some((line) => line.startsWith('services\tEd25519\t') && line.endsWith(printed.stdout.trim())), listed.stdout);
});

test('without --service-ports there is no port and no key', async () => {
    const plain = await ControlPlane.start();
    assert.ok(!plain.logLines.some(({ message }) => message === "service's port is open"));
    assert.equal(existsSync(join(plain.dataDir, 'keys', 'services.pem')), false);
    await plain.stop();
});

test('a key file that is wrong, or a port in use, keeps it from starting', async () => {
    const plain = await ControlPlane.start();
    await plain.stop();
    mkdirSync(join(plain.dataDir, 'service-keys'));
    const file = join(plain.dataDir, 'service-keys', 'gateway.pub');
    const refused = async (pattern, wish = 'any') => {
        const done = await plain.run(['serve', ...plain.flags, '--service-ports', wish]);
        assert.equal(done.code, 1, done.stderr);
        assert.match(done.stderr, pattern);
    };
    writeFileSync(file, `${gateway.publicKey}\n`);
    await refused(/gateway\.pub is called as no service is/);
    writeFileSync(file.replace('gateway', 'api-gateway'), 'nonsense\n');
    await refused(/gateway\.pub/);
    const settings = await plain.run(['serve', ...plain.flags, '--service-ports', 'yes']);
    assert.match(settings.stderr, /service-ports.*is none of off, on, any/);
    // Where all are free but one.
    rmSync(join(plain.dataDir, 'service-keys'), { recursive: true });
    const server = createServer();
    const isOurs = await new Promise((done) => { server.once('error', () => done(false)).listen(8019, '127.0.0.1', () => done(true)); });
    await refused(/cannot listen on 127\.0\.0\.1:80\d\d.*--service-ports/, 'on');
    if (isOurs) server.close();
});
