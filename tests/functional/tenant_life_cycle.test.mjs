// A tenant is suspended and resumed by whoever runs the server, and deleted and restored by its
// owner. Meanwhile it reads all it has and changes nothing, and its VMs are seen as they are.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { allMessages } from '../support/outbox.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] }); });
after(async () => { await controlPlane?.stop(); });

// On SQLite a file has one control plane; PostgreSQL takes both.
async function administer(...words) {
    if (!isPostgres) await controlPlane.stop();
    const done = await controlPlane.run(['tenants', ...words, ...controlPlane.flags]);
    if (!isPostgres) await controlPlane.serve();
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
}
const tenantOf = ({ tenantId }) => `/v1/tenants/${tenantId}`;
const stateOf = async (person) => (await controlPlane.get(`${tenantOf(person)}/plan`, { as: person })).json.state;
const events = ({ tenantId }) => allMessages(controlPlane.database)
    .filter((message) => message.tenantId === tenantId && /^tenant\.(suspended|resumed|deletion_requested|restored)$/.test(message.type));

// What goes on in any standing, beside GET and what agents call. Each with its reason.
const goesOn = new Map([
    ['auth.keys.revoke', 'takes access away'],
    ['agents.enrollment_tokens.revoke', 'takes access away'],
    ['tenants.members.remove', 'takes access away'],
    ['auth.sessions.end', 'takes access away'],
    ['auth.logout', 'takes access away'],
    ['auth.logout_everywhere', 'takes access away'],
    ['auth.password.change', 'is the person\'s, and nothing of the tenant\'s'],
    ['vms.watch', 'changes nothing of the tenant\'s'],
    ['tenants.create', 'makes another one; a suspended tenant\'s people are refused by the service'],
    ['tenants.delete', 'says the same day again; refused by the service while suspended'],
    ['tenants.restore', 'ends the state; refused by the service while suspended'],
]);

// Each operation of users in the document that is no GET, with things of the person's in its path.
async function changes(things) {
    const { paths } = (await controlPlane.get('/v1/openapi.json')).json;
    return Object.entries(paths).flatMap(([template, methods]) =>
        Object.entries(methods)
            .filter(([method, operation]) => method !== 'get' && operation.operationId)
            .filter(([, { security }]) => security.some((each) => 'bearer' in each || 'userToken' in each))
            .map(([method, { operationId }]) => ({
                id: operationId, method: method.toUpperCase(),
                path: template.replace(/\{(\w+)\}/g, (_, name) => things[name] ?? assert.fail(`no value for ${name}: add it to things`)),
            })));
}

// A customer with one of everything.
async function customer(name) {
    const person = await controlPlane.register(name);
    const agent = await JsonAgent.start(controlPlane, { name: `${name}-vm`, as: person });
    await agent.heartbeat();
    const key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'k' }, { as: person });
    const token = await controlPlane.enrollmentToken({ uses: 5 }, { as: person });
    const things = {
        tenantId: person.tenantId, userId: person.id, agentId: agent.agentId, vmId: agent.vmId, key_id: key.id,
        tokenId: token.id, section: 'os',
        session_id: (await controlPlane.get('/v1/auth/me', { as: person })).json.credentialId,
    };
    return { person, agent, key, token, things };
}

async function refusesChanges({ person, agent, key, token, things }, code) {
    const all = await changes(things);
    assert.ok(all.length >= 13, JSON.stringify(all));
    assert.deepEqual([...goesOn.keys()].filter((id) => !all.some((each) => each.id === id)), [], 'no such operation any more');
    for (const { id, method, path } of all) {
        if (goesOn.has(id)) continue;
        const problem = assertProblem(await controlPlane.call(method, path, { as: person, body: method === 'DELETE' ? undefined : {} }), 403, code);
        assert.match(problem.detail, /can be read, and nothing can be changed/, id);
    }
    // Programs too.
    const byKey = await controlPlane.post('/v1/agents/enrollment-tokens', {}, { headers: { 'x-api-key': key.key } });
    assertProblem(byKey, 403, code);

    // Reading goes on, for people, programs and agents.
    for (const path of ['/v1/vms', '/v1/agents', '/v1/auth/me', '/v1/auth/keys', tenantOf(person), `${tenantOf(person)}/members`])
        assert.equal((await controlPlane.get(path, { as: person })).status, 200, path);
    assert.equal((await controlPlane.get(`/v1/vms/${agent.vmId}`, { headers: { 'x-api-key': key.key } })).status, 200);
    assert.equal((await controlPlane.post(`/v1/vms/${agent.vmId}/watch`, {}, { as: person })).status, 200);
    const again = await controlPlane.signIn(person);
    assert.equal((await controlPlane.post('/v1/auth/refresh', { refreshToken: again.refreshToken })).status, 200);

    // Its VMs are seen as they are; no further one gets in, though the token is good.
    await agent.signIn();
    assert.equal((await agent.heartbeat()).status, 200);
    await agent.report('os', { id: 'debian', version_id: '12' });
    await eventually('the VM is online', async () => (await controlPlane.get(`/v1/vms/${agent.vmId}`, { as: person })).json.state === 'online');
    assertProblem(await new JsonAgent(controlPlane, { name: 'too-late' }).enroll(token.token), 403, code);
}

test('a suspended tenant reads all it has, changes nothing, and its VMs stay online', async () => {
    const scene = await customer('suspended');
    const { person, key, token } = scene;
    const guest = await controlPlane.register('suspended-guest');
    await controlPlane.must('POST', `${tenantOf(person)}/members`, { userId: guest.id, role: 'viewer' }, { as: person });
    const text = await administer('suspend', person.tenantId, '--reason', 'unpaid invoices');
    assert.match(text, /state {4}suspended since .*, by .*\(uid \d+\): unpaid invoices/);
    await eventually('it is suspended', async () => await stateOf(person) === 'suspended', { within: 5_000 });
    const refused = assertProblem(await controlPlane.patch(tenantOf(person), { name: 'X' }, { as: person }), 403, 'tenants.suspended');
    assert.match(refused.detail, /suspended \(unpaid invoices\).*Ask whoever runs this server/);
    await refusesChanges(scene, 'tenants.suspended');
    // What the service refuses itself.
    assertProblem(await controlPlane.post('/v1/tenants', { name: 'Another' }, { as: person }), 403, 'tenants.suspended');
    assertProblem(await controlPlane.delete(`${tenantOf(person)}?confirm=suspended`, { as: person }), 403, 'tenants.suspended');
    assertProblem(await controlPlane.post(`${tenantOf(person)}/restore`, {}, { as: person }), 403, 'tenants.suspended');
    // What takes access away goes on.
    const { length } = (await controlPlane.get(`${tenantOf(person)}/members`, { as: person })).json.items;
    assert.equal(length, 2);
    assert.equal((await controlPlane.delete(`${tenantOf(person)}/members/${guest.id}`, { as: person })).status, 204);
    assert.equal((await controlPlane.delete(`/v1/auth/keys/${key.id}`, { as: person })).status, 204);
    assert.equal((await controlPlane.delete(`/v1/agents/enrollment-tokens/${token.id}`, { as: person })).status, 204);
    // Another tenant of the same server feels nothing.
    await controlPlane.must('POST', '/v1/agents/enrollment-tokens', {});

    await administer('resume', person.tenantId, '--reason', 'paid');
    await eventually('it is active', async () => await stateOf(person) === 'active', { within: 5_000 });
    assert.equal((await controlPlane.patch(tenantOf(person), { name: 'Back' }, { as: person })).status, 200);
    const told = events(person);
    assert.deepEqual(told.map(({ type }) => type), ['tenant.suspended', 'tenant.resumed']);
    assert.deepEqual(JSON.parse(told[0].data), { from: 'active', reason: 'unpaid invoices' });
    assert.equal(JSON.parse(told[0].actor)[0].type, 'local_operator');
});

test('an owner has a tenant deleted, which changes nothing for thirty days, and takes it back', async () => {
    const scene = await customer('leaving');
    const { person, key } = scene;
    const path = tenantOf(person);
    const { slug } = (await controlPlane.get(path, { as: person })).json;
    const missing = assertProblem(await controlPlane.delete(path, { as: person }), 400);
    assert.ok(missing.errors.some(({ parameter, pointer }) => /confirm/.test(parameter ?? pointer)), JSON.stringify(missing));
    const wrong = assertProblem(await controlPlane.delete(`${path}?confirm=main-street`, { as: person }), 400, 'tenants.confirmation_wrong');
    assert.match(JSON.stringify(wrong.errors), new RegExp(slug));
    assertProblem(await controlPlane.delete(`${path}?confirm=${slug}`, { headers: { 'x-api-key': key.key } }), 403, 'auth.sign_in_required');
    const admin = await controlPlane.register('leaving-admin');
    await controlPlane.must('POST', `${path}/members`, { userId: admin.id, role: 'admin' }, { as: person });
    assertProblem(await controlPlane.delete(`${path}?confirm=${slug}`, { as: admin, tenant: person.tenantId }), 403, 'auth.scope_missing');
    assert.equal(await stateOf(person), 'active');

    const asked = await controlPlane.delete(`${path}?confirm=${slug}`, { as: person });
    assert.equal(asked.status, 202, asked.text);
    assert.equal(asked.json.state, 'pending_deletion');
    const days = (Date.parse(asked.json.deleteAfter) - Date.now()) / 86_400_000;
    assert.ok(days > 29.9 && days <= 30, asked.json.deleteAfter);
    const refused = assertProblem(await controlPlane.patch(path, { name: 'X' }, { as: person }), 403, 'tenants.pending_deletion');
    assert.match(refused.detail, /An owner takes that back with POST \/v1\/tenants\/\{tenantId\}\/restore/);
    assert.ok(refused.detail.includes(asked.json.deleteAfter), refused.detail);
    await refusesChanges(scene, 'tenants.pending_deletion');
    const again = await controlPlane.delete(`${path}?confirm=${slug}`, { as: person });
    assert.equal(again.json.deleteAfter, asked.json.deleteAfter, 'asking again does not move the day');
    await controlPlane.restart();
    assert.equal(await stateOf(person), 'pending_deletion');

    assertProblem(await controlPlane.post(`${path}/restore`, {}, { as: admin, tenant: person.tenantId }), 403, 'auth.scope_missing');
    const restored = await controlPlane.post(`${path}/restore`, {}, { as: person });
    assert.equal(restored.status, 200, restored.text);
    assert.deepEqual([restored.json.state, restored.json.deleteAfter], ['active', null]);
    assert.equal((await controlPlane.patch(path, { name: 'Stays' }, { as: person })).status, 200);
    const told = events(person);
    assert.deepEqual(told.map(({ type }) => type), ['tenant.deletion_requested', 'tenant.restored']);
    assert.equal(JSON.parse(told[0].data).deleteAfter, asked.json.deleteAfter);
});

test('after the grace all of it is gone, in every service, and a certificate says what was there', async () => {
    const scene = await customer('purged');
    const { person, agent, key, token } = scene;
    const neighbour = await customer('purged-not');
    await agent.report('os', { id: 'debian', version_id: '12' });
    const asked = await controlPlane.delete(`${tenantOf(person)}?confirm=purged`, { as: person });
    assert.equal(asked.status, 202, asked.text);
    // Thirty days pass.
    await controlPlane.stop();
    controlPlane.database.run(`UPDATE tenant_tenants SET delete_after = 1 WHERE tenant_id = '${person.tenantId}'`);
    await controlPlane.serve();
    await eventually('it is gone', async () => (await controlPlane.get('/v1/vms', { as: person, tenant: person.tenantId })).status !== 200, { within: 150_000, every: 500 });

    // Nobody is left in it, and nothing of it counts any more.
    assert.equal((await controlPlane.get('/v1/auth/me', { headers: { 'x-api-key': key.key } })).status, 401);
    assert.equal((await agent.heartbeat()).status, 401);
    assertProblem(await new JsonAgent(controlPlane, { name: 'late' }).enroll(token.token), 401, 'enrollment.token_invalid');
    await controlPlane.stop();
    const tables = controlPlane.database.rows(isPostgres
        ? "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
        : "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'tenant_id' WHERE m.type = 'table'").map(({ name }) => name);
    const kept = /^(platform_|audit_|tenant_purge)/;  // the audit log, and what says that it is gone
    assert.ok(tables.length >= 10, tables.join());
    const rowsOf = (table, tenant) => controlPlane.database.rows(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = '${tenant}'`)[0].n;
    for (const table of tables.filter((name) => !kept.test(name))) assert.equal(rowsOf(table, person.tenantId), 0, table);
    for (const table of ['tenant_tenants', 'vm_registry_vms', 'agent_registry_agents', 'auth_api_keys'])
        assert.equal(rowsOf(table, neighbour.person.tenantId), 1, `the neighbour's ${table}`);

    const listed = await controlPlane.run(['tenants', 'certificates', ...controlPlane.flags, '--json']);
    assert.equal(listed.code, 0, listed.stderr);
    const { items } = JSON.parse(listed.stdout);
    assert.deepEqual(items.map(({ tenantId }) => tenantId), [person.tenantId]);
    assert.equal(createHash('sha256').update(items[0].certificate).digest('hex'), items[0].sha256);
    const certificate = JSON.parse(items[0].certificate);
    assert.equal(certificate.requestedBy, person.id);
    const { rows } = certificate;
    assert.deepEqual(Object.keys(rows).sort(), tables.filter((name) => !kept.test(name)).sort(), 'every table of tenants is in it');
    assert.deepEqual(
        [rows.vm_registry_vms, rows.vm_registry_sections, rows.agent_registry_agents, rows.agent_registry_enrollment_tokens, rows.auth_api_keys, rows.tenant_members],
        [1, 1, 1, 2, 1, 1],
    );
    assert.match((await controlPlane.run(['tenants', 'certificates', 'purged', ...controlPlane.flags])).stdout, /^purged \(ten_.*purged at /);
    await controlPlane.serve();
    // The person is still one, of no tenant.
    assertProblem(await controlPlane.post('/v1/auth/login', { email: person.email, password: person.password }), 403, 'auth.no_tenant');
});

test('the same with synapsexctl', async () => {
    const person = await controlPlane.register('leaving-cli');
    const cli = new Cli(controlPlane);
    assert.equal((await cli.login(person)).code, 0);
    assert.notEqual((await cli.run(['tenants', 'delete'])).code, 0);
    const wrong = await cli.run(['tenants', 'delete', '--confirm', 'other']);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /leaving-cli/);
    const asked = await cli.run(['tenants', 'delete', '--confirm', 'leaving-cli']);
    assert.equal(asked.code, 0, asked.stderr);
    assert.match(asked.stdout, /State +pending_deletion, may be gone after \d{4}-/);
    assert.match(asked.stderr, /synapsexctl tenants restore/);
    assert.match((await cli.run(['tenants', 'list'])).stdout, /pending_deletion/);
    const restored = await cli.run(['tenants', 'restore', '--json']);
    assert.equal(JSON.parse(restored.stdout).state, 'active', restored.stderr);
});
