// What a VM's agent reports is signed with its key, and anybody can check it later: whoever has only an
// access token, an older report or the database changes nothing unnoticed.

import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { readInventorySection } from '../support/agent_protocol.mjs';
import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually, root, run, temporaryFolder } from '../support/processes.mjs';

const kSections = ['cpu', 'disks', 'filesystems', 'memory', 'network', 'os', 'packages'];

let controlPlane;
let cli;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    cli = new Cli(controlPlane);
    await cli.login(controlPlane.credentials);
});
after(async () => { await controlPlane?.stop(); });

const sectionsOf = async (vmId) => (await controlPlane.must('GET', `/v1/vms/${vmId}`)).reported.sections;
const signedSection = (vmId, section, { as = controlPlane.owner } = {}) =>
    controlPlane.get(`/v1/vms/${vmId}/inventory/${section}/signature`, { as });
const verdictsOf = async (vmId, ...more) => {
    const done = await cli.run(['vms', 'verify', vmId, '--json', ...more]);
    const told = JSON.parse(done.stdout);
    assert.equal(done.code, told.proven ? 0 : 1, done.stderr);
    return Object.fromEntries(told.sections.map(({ section, result }) => [section, result]));
};

// By node's own cryptography and protoc alone.
function check(proof, { agentId, section, keyId }) {
    const content = Buffer.from(proof.content, 'base64url');
    const { crv, kty, x } = { crv: 'Ed25519', kty: 'OKP', x: proof.publicKey };
    assert.equal(createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url').slice(0, 16), keyId);
    const microseconds = Date.parse(proof.signedAt) * 1000 + Number((/\.\d{3}(\d{3})Z$/.exec(proof.signedAt) ?? [0, 0])[1]);
    const statement = ['synapsex-inventory-v1', agentId, section, microseconds, createHash('sha256').update(content).digest('hex'), ''].join('\n');
    assert.equal(proof.statement, statement);
    const key = createPublicKey({ key: { crv, kty, x }, format: 'jwk' });
    assert.ok(verify(null, Buffer.from(statement), key, Buffer.from(proof.signature, 'base64url')), 'the signature holds');
    return readInventorySection(content);
}

// What docs/security.md tells who does not want to trust us.
async function followRecipe(vm) {
    const document = readFileSync(join(root, 'docs', 'security.md'), 'utf8');
    const recipe = /## What a VM said[\s\S]*?```sh\n([\s\S]*?)```/.exec(document)[1].replaceAll('shared/proto', join(root, 'shared', 'proto'));
    const folder = temporaryFolder();
    const env = { URL: controlPlane.url, TOKEN: controlPlane.owner.accessToken, VM: vm.id, AGENT: vm.agentId };
    const follow = (text) => run('bash', ['-euo', 'pipefail', '-c', text], { cwd: folder, env });
    const done = await follow(recipe);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /Signature Verified Successfully[\s\S]*name: "libc6"/);
    const forged = await follow(recipe.replace(/^openssl/m, 'echo >> statement\nopenssl'));
    assert.notEqual(forged.code, 0);
    const others = await run('bash', ['-euo', 'pipefail', '-c', recipe], { cwd: folder, env: { ...env, AGENT: 'agt_other' } });
    assert.match(others.stdout, /^NOT THIS AGENT, NOT THIS SECTION$/m, 'the proof of another agent');
    assert.doesNotMatch(forged.stdout, /libc6/);
    const swapped = await follow(recipe.replace(/^openssl/m, 'cp proof.json content\nopenssl'));
    assert.match(swapped.stdout, /^NOT THIS CONTENT$/m);
    assert.doesNotMatch(done.stdout, /NOT/);
}

test('every section of a real agent is signed with the key that its VM has', async () => {
    const agent = await Agent.start(controlPlane, { name: 'signed' });
    const sections = await eventually('all sections are there', async () => {
        const found = await sectionsOf(agent.vm.id);
        return found.length === kSections.length && found;
    });
    const { worker } = await agent.status();
    for (const { section, keyId, signedAt } of sections) {
        assert.equal(keyId, worker.keyId, section);
        assert.ok(Math.abs(Date.parse(signedAt) - Date.now()) < 120_000, signedAt);
        const { json } = await signedSection(agent.vm.id, section);
        const text = check(json, { agentId: agent.vm.agentId, section, keyId });
        assert.match(text, new RegExp(`^${section} \\{`));
    }
    const { reported } = await controlPlane.must('GET', `/v1/vms/${agent.vm.id}`);
    const memory = readInventorySection(Buffer.from((await signedSection(agent.vm.id, 'memory')).json.content, 'base64url'));
    assert.match(memory, new RegExp(`total_bytes: ${reported.memory.totalBytes}\n`));

    assert.deepEqual(await verdictsOf(agent.vm.id, '--key', worker.keyId), Object.fromEntries(kSections.map((name) => [name, 'ok'])));
    await followRecipe(agent.vm);

    const shown = await cli.runOnTerminal(['vms', 'verify', 'signed']);
    assert.equal(shown.code, 0, shown.stdout);
    await agent.stop();
});

test('an access token without the key reports nothing, nor does what is of another time, section or content', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const memory = (bytes) => ({ memory: { total_bytes: bytes } });
    assert.equal((await agent.putInventory('memory', memory(1))).status, 204);
    const thief = generateKeyPairSync('ed25519').privateKey;
    assertProblem(await agent.putInventory('memory', memory(666), { key: thief }), 422, 'inventory.signature_invalid');
    const shifted = await agent.putInventory('memory', memory(666), { signedAt: Date.now() - 1000, ...{ content: 'GgMIgAg' } });
    assertProblem(shifted, 422, 'inventory.signature_invalid');
    for (const minutes of [-10, 10])
        assertProblem(
            await agent.putInventory('memory', memory(666), { signedAt: Date.now() + minutes * 60_000 }), 422, 'inventory.signature_skewed',
        );
    assertProblem(await agent.putInventory('memory', memory(666), { signature: undefined }), 400, 'request.invalid');
    // What it said before, said again by somebody who heard it.
    const older = Date.now() - 60_000;
    assertProblem(await agent.putInventory('memory', memory(666), { signedAt: older }), 409, 'inventory.older');
    const { reported } = await controlPlane.must('GET', `/v1/vms/${agent.vmId}`);
    assert.equal(reported.memory.totalBytes, 1);
});

test('who changes the database is found', async () => {
    const agent = await JsonAgent.start(controlPlane);
    await agent.report('memory', { total_bytes: 1024 });
    await agent.report('cpu', { cores: 2 });
    await agent.report('os', { hostname: 'web-1' });
    await agent.report('packages', { manager: 'dpkg', packages: [{ name: 'zlib1g', version: '1' }, { name: 'openssl', version: '3.0.11' }] });
    for (const section of ['disks', 'filesystems', 'network']) await agent.report(section, {});
    assert.deepEqual(await verdictsOf(agent.vmId), Object.fromEntries(kSections.map((name) => [name, 'ok'])));
    const where = (section) => `WHERE vm_id = '${agent.vmId}' AND section = '${section}'`;
    const { database } = controlPlane;
    await controlPlane.stop();
    database.run(`UPDATE vm_registry_sections SET body = replace(body, '3.0.11', '3.0.99') ${where('packages')}`);
    database.run(`UPDATE vm_registry_sections SET body = replace(body, '1024', '4096') ${where('memory')}`);
    database.run(`UPDATE vm_registry_sections SET content = ${isPostgres ? "'\\x12021804'::bytea" : "x'12021804'"} ${where('cpu')}`);
    database.run(`UPDATE vm_registry_sections SET signed_at = NULL ${where('os')}`);
    database.run(`UPDATE vm_registry_sections SET content = NULL ${where('filesystems')}`);
    database.run(`DELETE FROM vm_registry_sections ${where('network')}`);
    database.run(`UPDATE vm_registry_vms SET disk_total_bytes = 1 WHERE vm_id = '${agent.vmId}'`);
    await controlPlane.serve();
    assert.deepEqual(await verdictsOf(agent.vmId), {
        memory: 'differs', cpu: 'invalid', os: 'unsigned', packages: 'differs', disks: 'differs', filesystems: 'noProof', network: 'missing',
    });
    const told = await cli.run(['vms', 'verify', agent.vmId]);
    assert.equal(told.code, 1);
    assert.match(told.stdout, /packages .* not what the VM signed/);
    assert.match(told.stderr, /7 of 7 sections/);
    assertProblem(await signedSection(agent.vmId, 'os'), 404, 'inventory.unsigned');
});

test('a proof is for who may read the VM', async () => {
    const agent = await JsonAgent.start(controlPlane);
    await agent.report('memory', { total_bytes: 1 });
    const stranger = await controlPlane.register('stranger');
    assertProblem(await signedSection(agent.vmId, 'memory', { as: stranger }), 404, 'vms.not_found');
    assertProblem(await signedSection(agent.vmId, 'memory', { as: agent }), 403);
    assertProblem(await signedSection(agent.vmId, 'memory', { as: null }), 401);
    assertProblem(await signedSection(agent.vmId, 'shoes'), 400);
});
