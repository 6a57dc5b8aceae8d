// synapsexctl from a person's and a program's side: exit codes, JSON, tables, secrets in private
// files, and names from the fleet that would like to command the terminal.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent, slotOf } from '../support/json_agent.mjs';
import { eventually, freePort } from '../support/processes.mjs';

// Clears the screen, sets a title, colours, and hides what follows from an eye.
const hostileName = 'evil\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202egnp.exe\r\n';

let controlPlane;
let cli;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    cli = new Cli(controlPlane);
    const done = await cli.login(controlPlane.credentials);
    assert.equal(done.code, 0, done.stderr);
    agent = await JsonAgent.start(controlPlane, { name: 'web-1' });
    await agent.putInventory('memory', { totalBytes: 8 * 2 ** 30, swapTotalBytes: 0 });
    const newest = slotOf(Date.now()) - 1;
    await agent.heartbeat({ telemetry: Array.from({ length: 10 }, (_, index) => agent.sample(newest - 9 + index)) });
    await eventually('the VM is online', async () =>
        (await controlPlane.must('GET', `/v1/vms/${agent.vmId}`)).state === 'online');
});
after(async () => { await controlPlane?.stop(); });

const ok = (done) => {
    assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return done.stdout;
};
const jsonOf = async (...parameters) => JSON.parse(ok(await cli.run([...parameters, '--json'])));

test('the sign-in is kept in a private file, without the password', () => {
    const file = join(cli.home, '.config', 'synapsex', 'credentials.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const kept = readFileSync(file, 'utf8');
    assert.equal(JSON.parse(kept).email, 'owner@example.com');
    assert.ok(!kept.includes(controlPlane.credentials.password));
});

test('whoami, tenants, agents and vms, as tables and as JSON', async () => {
    assert.match(ok(await cli.run(['whoami'])), /owner@example\.com/);
    assert.equal((await jsonOf('whoami')).email, 'owner@example.com');
    assert.match(ok(await cli.run(['tenants', 'list'])), /main-street/);
    const table = ok(await cli.run(['vms', 'list']));
    assert.match(table, /web-1/);
    assert.match(table, /online/);
    const list = await jsonOf('vms', 'list');
    const items = list.items ?? list;
    assert.equal(items.find((vm) => vm.name === 'web-1').id, agent.vmId);
    assert.match(ok(await cli.run(['agents', 'list'])), /web-1/);
    assert.equal((await jsonOf('agents', 'get', 'web-1')).id, agent.agentId);
    assert.equal((await jsonOf('vms', 'get', 'web-1')).id, agent.vmId);
    assert.match(ok(await cli.run(['vms', 'get', agent.vmId])), /8(\.0)? Gi?B/);
    assert.equal(ok(await cli.run(['vms', 'list', '--ids'])).trim(), agent.vmId);
    assert.match(ok(await cli.run(['vms', 'telemetry', 'web-1', '--since', '1h'])), /1\.23/);
});

test('a token can be made into a private file, and a VM enrolls with it', async () => {
    const file = join(cli.home, 'token');
    const done = await cli.run(['tokens', 'create', '--ttl', '5m', '--token-file', file]);
    ok(done);
    assert.ok(!(done.stdout + done.stderr).includes('sxe_'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const guest = new JsonAgent(controlPlane, { name: 'by-cli' });
    assert.equal((await guest.enroll(readFileSync(file, 'utf8').trim())).status, 201);
    const plain = ok(await cli.run(['tokens', 'create'])).trim();
    assert.match(plain, /^sxe_\S+$/, 'nothing but the token goes to standard output');
    assert.match(ok(await cli.run(['tokens', 'list'])), /used up/);
    await controlPlane.must('DELETE', `/v1/agents/${guest.agentId}`);
});

test('watch ends after as many samples as were asked for', async () => {
    const watching = cli.run(['vms', 'watch', 'web-1', '--count', '1', '--interval', '1s', '--json'], { within: 60_000 });
    let slot = slotOf(Date.now());
    const feeding = setInterval(() => { agent.heartbeat({ telemetry: [agent.sample(slot)] }).catch(() => {}); ++slot; }, 1000);
    try {
        const lines = ok(await watching).trim().split('\n');
        for (const line of lines) JSON.parse(line);
    } finally {
        clearInterval(feeding);
    }
});

test('exit codes say what kind of failure it was', async () => {
    const codeOf = async (parameters, options) => (await cli.run(parameters, options)).code;
    assert.equal(await codeOf(['dance']), 2);
    assert.equal(await codeOf(['vms', 'list', '--limit', 'many']), 2);
    assert.equal(await codeOf(['vms', 'get', 'vm_01arz3ndektsv4rrffq69g5fav']), 4);
    assert.equal(await codeOf(['vms', 'get', 'no-such-name']), 4);
    assert.equal(await codeOf(['vms', 'list'], { env: { SYNAPSEX_API_KEY: 'sk_sx_nonsense' } }), 3);
    assert.equal(await codeOf(['vms', 'list'], { env: { SYNAPSEX_URL: `http://127.0.0.1:${await freePort()}`, SYNAPSEX_API_KEY: 'x' } }), 5);
    assert.equal(await codeOf(['vms', 'list', '--tenant', 'no-such-tenant']), 4);
    const viewer = await controlPlane.register('cli-viewer');
    await controlPlane.must('POST', `/v1/tenants/${controlPlane.owner.tenantId}/members`, { userId: viewer.id, role: 'viewer' });
    assert.equal(await codeOf(['tokens', 'create', '--tenant', controlPlane.owner.tenantId], { env: { SYNAPSEX_ACCESS_TOKEN: viewer.accessToken } }), 3);
    // A sign-in belongs to its server; and no credential crosses the network in clear.
    assert.equal(await codeOf(['vms', 'list', '--url', 'http://control.example.com']), 3);
    const insecure = await cli.run(['vms', 'list', '--url', 'http://control.example.com'], { env: { SYNAPSEX_API_KEY: 'x' } });
    assert.equal(insecure.code, 2, insecure.stderr);
    assert.match(insecure.stderr, /https:\/\//);
});

test('a failure is one helpful line on standard error; with --json a problem', async () => {
    const plain = await cli.run(['vms', 'get', 'no-such-name']);
    assert.equal(plain.stdout, '');
    assert.match(plain.stderr, /no-such-name/);
    const asJson = await cli.run(['vms', 'get', 'vm_01arz3ndektsv4rrffq69g5fav', '--json']);
    assert.equal(asJson.stdout, '');
    const problem = JSON.parse(asJson.stderr);
    assert.equal(problem.code, 'vms.not_found');
    const nobody = new Cli(controlPlane);
    const signedOut = await nobody.run(['vms', 'list']);
    assert.equal(signedOut.code, 3);
    assert.match(signedOut.stderr, /synapsexctl login/);
});

test('a wrong password is refused, and nothing is kept', async () => {
    const other = new Cli(controlPlane);
    const done = await other.login({ email: 'owner@example.com', password: 'wrong' });
    assert.equal(done.code, 3);
    assert.ok(!existsSync(join(other.home, '.config', 'synapsex', 'credentials.json')));
});

test('names from the fleet cannot command a terminal', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const evil = new JsonAgent(controlPlane, { name: hostileName });
    const enrolled = await evil.enroll(token);
    assert.equal(enrolled.status, 201, enrolled.text);
    await evil.signIn();
    await evil.putInventory('os', {
        id: 'x', versionId: '1', prettyName: 'Nice\u001b]52;c;aGk=\u0007OS', kernelRelease: '\u001b[31m6', architecture: 'x86_64',
        hostname: 'h', machineIdHash: '', timezone: 'UTC', bootedAt: '2026-01-01T00:00:00Z', virtualization: '',
    });
    for (const parameters of [['vms', 'list'], ['vms', 'get', evil.vmId], ['agents', 'list'], ['agents', 'get', evil.agentId], ['vms', 'list', '--json']]) {
        const piped = await cli.run([...parameters]);
        const shown = await cli.runOnTerminal(parameters);
        assert.equal(shown.code, 0, shown.stdout);
        // Our own colours are all that a terminal is told.
        const rest = shown.stdout.replace(/\u001b\[\d*(;\d+)*m/g, '').replace(/\r\n/g, '\n');
        assert.doesNotMatch(rest, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, `${parameters.join(' ')}: ${JSON.stringify(rest)}`);
        assert.ok(rest.includes('evil'), rest);
        if (!parameters.includes('--json')) assert.doesNotMatch(piped.stdout, /[\u001b\u0007\u009b]/);
    }
    const listed = await jsonOf('vms', 'list');
    assert.equal((listed.items ?? listed).find((vm) => vm.id === evil.vmId).name, hostileName, 'a program gets the name as it is');
    await controlPlane.must('DELETE', `/v1/agents/${evil.agentId}`);
});

test('an expired access token is renewed by itself, also by ten at once', async () => {
    const file = join(cli.home, '.config', 'synapsex', 'credentials.json');
    const { writeFileSync } = await import('node:fs');
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    const spoil = Object.keys(kept).find((name) => /access.?token/i.test(name));
    writeFileSync(file, JSON.stringify({ ...kept, [spoil]: 'expired' }), { mode: 0o600 });
    const all = await Promise.all(Array.from({ length: 10 }, () => cli.run(['whoami'])));
    for (const done of all) assert.equal(done.code, 0, done.stderr);
});

test('logout forgets the tokens', async () => {
    const other = new Cli(controlPlane);
    ok(await other.login(controlPlane.credentials));
    ok(await other.run(['whoami']));
    ok(await other.run(['logout']));
    assert.equal((await other.run(['whoami'])).code, 3);
});

test('--help and --version work without a server', async () => {
    assert.match(ok(await cli.run(['--version'])), /synapsexctl \d+\.\d+\.\d+/);
    const help = ok(await cli.run(['--help']));
    for (const word of ['login', 'vms', 'tokens', 'Exit codes']) assert.ok(help.includes(word), word);
});
