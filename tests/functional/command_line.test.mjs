// synapsexctl from a person's and a program's side: exit codes, JSON, tables, secrets in private
// files, and names from the fleet that would like to command the terminal.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent, slotOf } from '../support/json_agent.mjs';
import { eventually, freePort, Program, program, root, run } from '../support/processes.mjs';

// Clears the screen, sets a title, colours, and hides what follows from an eye.
const hostileText = 'evil\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202egnp.exe\r\n';
// All of it that a name may have.
const hostileName = 'evil\u202egnp.exe';

let controlPlane;
let cli;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true', '--default-plan', 'enterprise'] });
    cli = new Cli(controlPlane);
    const done = await cli.login(controlPlane.credentials);
    assert.equal(done.code, 0, done.stderr);
    agent = await JsonAgent.start(controlPlane, { name: 'web-1' });
    await agent.report('memory', { total_bytes: 8 * 2 ** 30 });
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
    assert.deepEqual(Object.keys(list), ['items', 'nextCursor']);
    assert.equal(list.nextCursor, null);
    assert.equal(list.items.find((vm) => vm.name === 'web-1').id, agent.vmId);
    for (const group of ['tokens', 'keys', 'tenants'])
        assert.deepEqual(Object.keys(await jsonOf(group, 'list')), ['items', 'nextCursor'], group);
    const agents = await jsonOf('agents', 'list');
    assert.ok(Array.isArray(agents), 'agents are a bare array, as /v1/agents is');
    assert.equal(agents.find((record) => record.name === 'web-1').vmId, agent.vmId);
    assert.match(ok(await cli.run(['agents', 'list'])), /web-1/);
    assert.equal((await jsonOf('agents', 'get', 'web-1')).id, agent.agentId);
    assert.equal((await jsonOf('vms', 'get', 'web-1')).id, agent.vmId);
    assert.match(ok(await cli.run(['vms', 'get', agent.vmId])), /8(\.0)? Gi?B/);
    assert.equal(ok(await cli.run(['vms', 'list', '--ids'])).trim(), agent.vmId);
    assert.match(ok(await cli.run(['vms', 'telemetry', 'web-1', '--since', '1h'])), /1\.23/);

    assert.match(ok(await cli.run(['agents', 'rename', 'web-1', "Ada's web"])), /^web-1 is Ada's web now\.$/m);
    assert.equal((await jsonOf('vms', 'get', "Ada's web")).id, agent.vmId);
    const refused = await cli.run(['agents', 'rename', "Ada's web", '']);
    assert.equal(refused.code, 2, refused.stderr);
    assert.equal((await jsonOf('agents', 'rename', agent.agentId, 'web-1')).name, 'web-1');
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

test('watch ends after as many samples as were asked for, also when several come at once', async () => {
    let slot = slotOf(Date.now());
    const watching = cli.run(['vms', 'watch', 'web-1', '--count', '3', '--interval', '1s', '--json'], { within: 60_000 });
    const feeding = setInterval(() => {
        agent.heartbeat({ telemetry: [0, 1, 2, 3].map((more) => agent.sample(slot + more)) }).catch(() => {});
        slot += 4;
    }, 1000);
    try {
        const samples = ok(await watching).trim().split('\n').map((line) => JSON.parse(line));
        assert.equal(samples.length, 3);
        assert.equal(new Set(samples.map((sample) => sample.at)).size, 3);
    } finally {
        clearInterval(feeding);
    }
});

test('a watch that is stopped before its last sample does not look like one that came to its end', async () => {
    const watch = (parameters) => new Program(program('synapsexctl'), ['vms', 'watch', ...parameters], { env: cli.env });
    for (const [signal, parameters, code] of [
        ['SIGINT', ['web-1', '--count', '1000'], 130],
        ['SIGTERM', ['web-1', '--count', '1000'], 143],
        ['SIGINT', ['web-1'], 0],
        ['SIGTERM', [], 0],
    ]) {
        const watching = watch(parameters);
        await eventually('a sample is shown', () => watching.stdout.includes('web-1'));
        assert.deepEqual(await watching.end({ signal }), { code, signal: null }, watching.tail());
    }
});

test('a list longer than a page is shown whole, bare arrays too', async () => {
    const other = await controlPlane.register('cli-many');
    const uses = 103;
    const { token } = await controlPlane.enrollmentToken({ uses }, { as: other });
    for (let i = 0; i < uses; ++i)
        assert.equal((await new JsonAgent(controlPlane, { name: `many-${i}` }).enroll(token)).status, 201);
    const env = { SYNAPSEX_ACCESS_TOKEN: other.accessToken };
    for (const group of ['agents', 'vms']) {
        const ids = ok(await cli.run([group, 'list', '--ids'], { env })).trim().split('\n');
        assert.equal(new Set(ids).size, uses, group);
        const document = JSON.parse(ok(await cli.run([group, 'list', '--json'], { env })));
        assert.equal((group === 'agents' ? document : document.items).length, uses, group);
        const cut = await cli.run([group, 'list', '--ids', '--limit', '101'], { env });
        assert.equal(ok(cut).trim().split('\n').length, 101);
        assert.match(cut.stderr, /Only the first 101 are shown/);
    }
    const watching = new Program(program('synapsexctl'), ['vms', 'watch'], { env: { ...cli.env, ...env } });
    await eventually('it says what it follows', () => watching.stderr.includes('Following the first 20 VMs of the list only'));
    assert.equal((await watching.end()).code, 0);
});

test('tables fit the terminal, name and state to the last; a pipe gets everything', async () => {
    const name = 'ip-10-0-12-34.eu-central-1.compute.internal.example.com';
    const wide = await JsonAgent.start(controlPlane, { name });
    await wide.report('os', {
        id: 'debian', version_id: '12', pretty_name: 'Debian GNU/Linux 12 (bookworm)', kernel_release: '6.1.0-18-amd64',
        architecture: 'x86_64', hostname: 'h', timezone: 'UTC', virtualization: 'kvm',
    });
    for (const columns of [40, 60, 80, 120, 200]) {
        for (const group of ['vms', 'agents', 'tokens', 'tenants']) {
            const shown = ok(await cli.runOnTerminal([group, 'list'], { columns, env: { NO_COLOR: '1' } }));
            for (const line of shown.split(/\r?\n/)) assert.ok([...line].length <= columns, `${columns}: ${line}`);
        }
        for (const group of ['vms', 'agents']) {
            const shown = ok(await cli.runOnTerminal([group, 'list'], { columns, env: { NO_COLOR: '1' } }));
            assert.match(shown, /^NAME +STATE/, `${columns}`);
            assert.match(shown, /^web-1 +online/m, `${columns}`);
        }
    }
    assert.ok(ok(await cli.runOnTerminal(['vms', 'list'], { columns: 200 })).includes(wide.vmId));
    const piped = ok(await cli.run(['vms', 'list'], { env: { COLUMNS: '40' } }));
    for (const whole of [name, 'Debian GNU/Linux 12 (bookworm)', wide.vmId, 'CPUS']) assert.ok(piped.includes(whole), whole);
    await controlPlane.must('DELETE', `/v1/agents/${wide.agentId}`);
});

test('a secret replaces no pipe or device', async () => {
    const pipe = join(cli.home, 'pipe');
    assert.equal((await run('mkfifo', [pipe])).code, 0);
    const before = (await jsonOf('tokens', 'list')).items.length;
    const refused = await cli.run(['tokens', 'create', '--token-file', pipe]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /no ordinary file.*Without --token-file the token is printed/);
    assert.ok(statSync(pipe).isFIFO());
    assert.equal((await jsonOf('tokens', 'list')).items.length, before, 'no token was made');
});

test('a secret replaces no file unasked and makes no folder, and the server is not asked for one', async () => {
    const count = async () => (await jsonOf('keys', 'list')).items.length;
    const before = await count();
    const file = join(cli.home, 'key');
    const create = (...more) => cli.run(['keys', 'create', '--name', 'k', ...more]);
    ok(await create('--key-file', file));
    const first = readFileSync(file, 'utf8');
    const again = await create('--key-file', file);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /is there already and stays as it is\. .*--force/);
    assert.equal(readFileSync(file, 'utf8'), first);
    const deep = await create('--key-file', join(cli.home, 'none', 'key'));
    assert.equal(deep.code, 2);
    assert.match(deep.stderr, /There is no folder/);
    assert.ok(!existsSync(join(cli.home, 'none')));
    assert.equal(await count(), before + 1);
    ok(await create('--key-file', file, '--force'));
    assert.notEqual(readFileSync(file, 'utf8'), first);
});

test('advice can be pasted: it names the program as it was called', async () => {
    const nobody = new Cli(controlPlane);
    const called = join(cli.home, "it's synapsexctl");
    symlinkSync(program('synapsexctl'), called);
    const { stderr } = await run(called, ['vms', 'list'], { env: nobody.env });
    assert.ok(stderr.includes(`-> sign in with '${called.replace("'", "'\\''")}' login --url`), stderr);
});

test('capabilities have the names of all numbers in the protocol\'s list', async () => {
    const list = readFileSync(join(root, 'shared', 'proto', 'CAPABILITIES.md'), 'utf8');
    const numbers = [...list.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    assert.ok(numbers.length >= 4);
    await agent.heartbeat({ capabilities: numbers });
    let line;
    await eventually('the server has written what the agent can do', async () => {
        line = /^Capabilities.*$/m.exec(ok(await cli.run(['agents', 'get', 'web-1'])))[0];
        return line.split(', ').length === numbers.length;
    });
    assert.doesNotMatch(line, /\d/);
});

test('a server that hangs up is a clear failure, whenever it does', async () => {
    // The request is larger than one write, so some of it meets a connection that is closed.
    const server = createServer((socket) => { socket.on('error', () => {}); socket.end(); socket.resume(); });
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    const env = { SYNAPSEX_URL: `http://127.0.0.1:${server.address().port}`, SYNAPSEX_API_KEY: 'x' };
    try {
        for (let i = 0; i < 20; ++i) {
            const done = await cli.run(['keys', 'create', '--name', 'k', '--description', 'x'.repeat(120_000)], { env });
            assert.deepEqual([done.code, done.signal], [5, null], done.stderr);
            assert.match(done.stderr, /net\.closed|net\.protocol/);
        }
    } finally {
        await new Promise((done) => { server.close(done); });
    }
});

test('a reader that has seen enough ends it quietly; a closed standard output does not', async () => {
    const inShell = (script) => run('bash', ['-c', script, 'bash', program('synapsexctl')], { env: cli.env });
    const gone = await inShell('exec 4> >(exec true); wait $!; "$1" vms list >&4');
    assert.deepEqual([gone.code, gone.stderr], [141, '']);
    const watching = await inShell('exec 4> >(exec true); wait $!; "$1" vms watch >&4');
    assert.deepEqual([watching.code, watching.stderr], [141, '']);
    const closed = await inShell('"$1" vms list >&-');
    assert.equal(closed.code, 1);
    assert.match(closed.stderr, /cannot be written/);
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
    assert.equal(await codeOf(['vms', 'list', '--url', 'https://control.example.com']), 3);
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
    const usage = await cli.run(['vms', 'list', '--limit', 'many', '--json']);
    assert.equal(usage.code, 2);
    assert.equal(JSON.parse(usage.stderr).code, 'cli.usage');
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
    assert.equal((await new JsonAgent(controlPlane, { name: hostileText }).enroll(token)).status, 400);
    const evil = new JsonAgent(controlPlane, { name: hostileName });
    const enrolled = await evil.enroll(token);
    assert.equal(enrolled.status, 201, enrolled.text);
    await evil.signIn();
    await evil.report('os', {
        id: 'x', version_id: '1', pretty_name: `Nice\u001b]52;c;aGk=\u0007OS ${hostileText}`, kernel_release: '\u001b[31m6',
        architecture: 'x86_64', hostname: 'h', timezone: 'UTC',
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
    assert.equal(listed.items.find((vm) => vm.id === evil.vmId).name, hostileName, 'a program gets the name as it is');
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
