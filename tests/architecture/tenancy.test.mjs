// Who may see the rows of more than one tenant. On PostgreSQL row level security holds everybody
// else to their own; here stands the list of those that it does not hold, each with its reason.

import assert from 'node:assert/strict';
import test from 'node:test';

import { files, product, read } from './source_tree.mjs';

const scopes = new Map([
    ['agent_registry.claim_token', 'an enrollment token says whose it is'],
    ['agent_registry.custody', 'presence of all agents, among replicas'],
    ['agent_registry.get_identity', 'an agent proves itself before its tenant is known'],
    ['agent_registry.load', 'presence of all agents, at start'],
    ['agent_registry.prune_removed', 'sweep'],
    ['agent_registry.prune_tokens', 'sweep'],
    ['agent_registry.write_presence', 'presence of all agents, written behind in batches'],
    ['audit.record', 'messages of all tenants become entries, each of its own tenant'],
    ['audit.write_denials', 'who was refused something, written behind in batches'],
    ['auth.find_api_key', 'a key proves itself before its tenant is known'],
    ['auth.prune_assertions', 'sweep'],
    ['auth.write_key_usage', 'when keys were used, written behind in batches'],
    ['certificates.tell', 'the server\'s certificate is of no tenant'],
    ['idempotency.prune', 'sweep'],
    ['inbox.prune', 'sweep'],
    ['leases.task', 'roles are of no tenant'],
    ['outbox.measure', 'how many messages there are, whoever they are of'],
    ['outbox.relay', 'numbers the messages of all tenants in one order'],
    ['tenant.administer', 'which tenants there are, for who has the server\'s machine'],
    ['tenant.add_member', 'counts the tenants of the user who joins'],
    ['tenant.create', 'a slug is taken by whichever tenant has it'],
    ['tenant.list_due_purges', 'sweep'],
    ['tenant.memberships', 'the tenants of one user'],
    ['tenant.recover', 'which tenants there are, for who has the server\'s machine'],
    ['vm_registry.prune_telemetry', 'sweep'],
    ['vm_registry.set_presence', 'states of all VMs, written behind in batches'],
    ['wakeups.probe', 'writes nothing'],
]);

// Tables that belong to no tenant.
const shared = new Map([
    ['auth_users', 'a user may belong to several tenants'],
    ['auth_sign_in_locks', 'of accounts and addresses, whether there is such a user or not'],
    ['auth_sessions', 'a session is a user\'s, and may change its tenant'],
    ['agent_registry_server', 'one row about this server'],
    ['agent_registry_replicas', 'processes on the database'],
]);

const controlPlane = product.filter((path) => /^controlplane\//.test(path) && !/_(test|fixture)\.[ch]pp$/.test(path));
const services = product.filter((path) => /^controlplane\/services\//.test(path));

test('work across tenants is listed here, with its reason', () => {
    const found = new Map();
    for (const path of controlPlane)
        for (const [, name] of read(path).matchAll(/db::SystemScope k\w+\{"([^"]+)"/g)) found.set(name, path);
    assert.ok(found.size > 0, 'no SystemScope found: mend the pattern');
    assert.deepEqual([...found.keys()].filter((name) => !scopes.has(name)), [], 'add it with its reason, or work in the tenant of the call');
    assert.deepEqual([...scopes.keys()].filter((name) => !found.has(name)), [], 'nothing has this scope any more');
});

test('a scope is a named constant, of the service that uses it', () => {
    const wrong = [];
    for (const path of services) {
        const service = path.split('/')[2];
        for (const [text, name] of read(path).matchAll(/SystemScope\s*\w*\s*\{([^}]*)\}/g))
            if (!name.startsWith(`"${service}.`) || !/SystemScope k[A-Z]/.test(text)) wrong.push(`${path}: ${text}`);
    }
    assert.deepEqual(wrong, [], 'constexpr db::SystemScope kWhat{"service.what"}');
});

test('a table starts with its tenant', () => {
    const tables = files.filter((path) => /^controlplane\/services\/.*\/migrations\/.*\.sql$/.test(path)).flatMap((path) =>
        [...read(path).matchAll(/CREATE TABLE (\w+) \(\s*(\w+)/g)].map(([, table, column]) => ({ path, table, column })));
    assert.ok(tables.length > 0, 'no table found: mend the pattern');
    const wrong = tables.filter(({ table, column }) => (column === 'tenant_id') === shared.has(table));
    assert.deepEqual(wrong, [], 'tenant_id is the first column, or the table is listed here with its reason');
});

test('what a service keeps of a tenant is purged with it', () => {
    const sql = services.filter((path) => /\/store\.cpp$/.test(path)).map(read).join('\n');
    const tables = files.filter((path) => /^controlplane\/services\/(?!_)\w+\/migrations\/.*\.sql$/.test(path)).flatMap((path) =>
        [...read(path).matchAll(/CREATE TABLE (\w+) \(\s*tenant_id/g)].map(([, table]) => table));
    assert.ok(tables.length > 0, 'no table found: mend the pattern');
    // What says that a tenant is gone, and what was done in it before.
    const stays = ['tenant_purges', 'tenant_purge_counts', 'audit_entries', 'audit_heads'];
    const wrong = tables.filter((table) => !stays.includes(table)).filter((table) =>
        !new RegExp(`DELETE FROM ${table}\\s+WHERE tenant_id = \\$1\\)sql`).test(sql) || !sql.includes(`'${table}'`));
    assert.deepEqual(wrong, [], 'count it and remove it in the TenantPurge of its service, with DELETE FROM … WHERE tenant_id = $1');
});
