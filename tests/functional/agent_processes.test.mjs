// What keeps the agent running: the supervisor brings back worker and executor, one agent has one
// data directory, and everything ends together.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually, isAlive, Program, program, run, throughout } from '../support/processes.mjs';
import { fillDisk, mountTmpfs, whyNoSmallDisk } from '../support/small_disk.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

// The agent's program (and not what starts it) has begun to take signals in its own time. SIGUSR1,
// since a signal that is being waited for does not count as blocked.
function blocksSignals(pid) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mask = /^SigBlk:\s+([0-9a-f]+)/m.exec(status)[1];
    return status.startsWith('Name:\tsynapsex-agent') && (BigInt(`0x${mask}`) >> 9n & 1n) === 1n;
}

// Killed, it is there again under another pid.
async function comesBack(agent, which) {
    const before = agent.pidOf(which);
    assert.ok(before, `the ${which} runs`);
    process.kill(before, 'SIGKILL');
    return eventually(`the ${which} is back`, () => {
        const now = agent.pidOf(which);
        return now && now !== before && now;
    }, { within: 30_000 });
}

// A server that takes connections and never says a word.
async function silentServer() {
    const sockets = new Set();
    const server = createServer((socket) => { sockets.add(socket.unref()); socket.on('error', () => {}); }).unref();
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        get wasCalled() { return sockets.size > 0; },
        close() {
            for (const socket of sockets) socket.destroy();
            server.close();
        },
    };
}

// Its data lie on a small disk that only its own mount namespace has.
class AgentOnSmallDisk extends Agent {
    startsFull = false;

    // The words of the command that runs the agent there.
    command(verb) {
        mkdirSync(this.dataDir, { recursive: true });
        const fill = this.startsFull ? '! cat /dev/zero >"$1/filler" 2>/dev/null' : 'true';
        const script = `${mountTmpfs} && chmod 700 "$1" && ${fill} && shift && exec "$@"`;
        return ['--mount', 'sh', '-c', script, 'sh', this.dataDir, program('synapsex-agent'), verb, ...this.flags];
    }
    supervise() {
        this.process = new Program('unshare', this.command('--supervise'), { env: this.env, name: 'agent' });
    }
    get filler() { return `/proc/${this.process.pid}/root${this.dataDir}/filler`; }
    fillDisk() { fillDisk(this.filler); }
    // As `status` would show it, which does not see the disk.
    get worker() {
        const file = join(this.runDir, 'worker-state.json');
        return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    }
}

test('kill -9 of the worker: it is back by itself, as the same agent', async () => {
    const agent = await Agent.start(controlPlane, { name: 'phoenix' });
    const { sequence } = (await agent.status()).worker;
    await comesBack(agent, 'worker');
    const status = await eventually('it is connected again', async () => {
        const found = await agent.status();
        return found.worker?.connected && found.worker.sequence > sequence && found;
    }, { within: 60_000, every: 200 });
    assert.equal(status.identity.agentId, agent.vm.agentId);
    const page = await controlPlane.must('GET', '/v1/vms?name=phoenix');
    assert.equal(page.items.length, 1, 'no second VM');
    await agent.stop();
});

test('kill -9 of the executor: it is back by itself, and the VM is not degraded for long', async () => {
    const agent = await Agent.start(controlPlane, { name: 'limb' });
    const worker = agent.pidOf('worker');
    const executor = await comesBack(agent, 'executor');
    assert.equal(agent.pidOf('worker'), worker, 'the worker went on');
    await eventually('the executor answers', async () => (await agent.status()).executor?.pid === executor, { within: 30_000 });
    await eventually('the VM is online', async () => (await agent.find()).state === 'online', { within: 90_000, every: 500 });
    await agent.stop();
});

test('SIGTERM ends the supervisor and all that it runs; nothing is left', async () => {
    const agent = await Agent.start(controlPlane, { name: 'tidy' });
    const pids = ['worker', 'executor'].map((which) => agent.pidOf(which));
    const result = await agent.stop();
    assert.deepEqual(result, { code: 0, signal: null });
    for (const pid of pids) assert.ok(!isAlive(pid), `${pid} has ended`);
    assert.ok(!existsSync(join(agent.runDir, 'executor.sock')));
    assert.equal((await agent.status()).running, false);
});

test('kill -9 of the supervisor takes worker and executor along', async () => {
    const agent = await Agent.start(controlPlane, { name: 'orphan' });
    const pids = ['worker', 'executor'].map((which) => agent.pidOf(which));
    process.kill(agent.process.pid, 'SIGKILL');
    await eventually('both have ended', () => pids.every((pid) => !isAlive(pid)), { within: 15_000 });
    // And it starts again over what was left behind.
    agent.supervise();
    await eventually('it is connected again', async () => (await agent.status()).worker?.connected, { within: 60_000, every: 200 });
    await agent.stop();
});

test('kill -9 of the supervisor and a new one at once: it waits for the old worker to end', async () => {
    const agent = await Agent.start(controlPlane, { name: 'heir' });
    const old = agent.pidOf('worker');
    const { sequence } = (await agent.status()).worker;
    // The old worker is slow to stop: it holds the data directory for some seconds more.
    process.kill(old, 'SIGSTOP');
    process.kill(agent.process.pid, 'SIGKILL');
    await eventually('the supervisor is gone', () => !isAlive(agent.process.pid));
    agent.supervise();
    await eventually('the new worker is there', () => agent.pidOf('worker') && agent.pidOf('worker') !== old);
    process.kill(old, 'SIGCONT');
    await eventually('the old one has ended', () => !isAlive(old));
    await eventually('the new one is connected', async () => {
        const { worker } = await agent.status();
        return worker?.connected && worker.sequence > sequence;
    }, { within: 60_000, every: 200 });
    assert.ok(agent.process.isRunning, 'the agent has not given up');
    assert.ok((await agent.status()).executor, 'the executor answers');
    await agent.stop();
});

test('a second supervisor says so in one sentence, and the first goes on untouched', async () => {
    const agent = await Agent.start(controlPlane, { name: 'sovereign' });
    const before = await agent.status();
    const second = await run(program('synapsex-agent'), ['--supervise', ...agent.flags], { env: agent.env });
    assert.equal(second.code, 1, second.stderr);
    const lines = second.stderr.trim().split('\n');
    assert.equal(lines.length, 1, second.stderr);
    assert.match(lines[0], /Another supervisor already uses the run directory/);
    // Nor does a second executor alone, as somebody might start it by hand.
    const executor = await run(program('synapsex-executor'), ['--run-dir', agent.runDir]);
    assert.equal(executor.code, 1, executor.stderr);
    assert.match(executor.stderr, /Another executor already uses the run directory/);
    const now = await agent.status();
    assert.equal(now.executor.pid, before.executor.pid, 'the executor answers');
    assert.equal(now.executor.workerPid, before.executor.workerPid, 'and knows the worker');
    assert.equal(agent.pidOf('supervisor'), agent.process.pid);
    assert.equal(agent.pidOf('worker'), before.executor.workerPid);
    assert.ok(now.worker.connected);
    await agent.stop();
});

test('a second agent on the same data directory says so and ends', async () => {
    const agent = await Agent.start(controlPlane, { name: 'only-one' });
    const second = await run(program('synapsex-agent'), ['run', ...agent.flags], { env: agent.env });
    assert.equal(second.code, 1, second.stderr);
    assert.match(second.stderr, /agent\.already_running/);
    assert.ok((await agent.status()).worker.connected, 'the first goes on');
    await agent.stop();
});

test('one that waits for the data directory can be stopped', async () => {
    const agent = await Agent.start(controlPlane, { name: 'patient' });
    const second = new Program(program('synapsex-agent'), ['run', ...agent.flags], { env: agent.env });
    await eventually('it waits', () => second.isRunning && blocksSignals(second.pid));
    assert.deepEqual(await second.end({ within: 3000 }), { code: 0, signal: null });
    await agent.stop();
});

test('what the machine cannot do now is tried again: a key and a socket that cannot be made', { skip: await whyNoSmallDisk() }, async () => {
    const agent = new AgentOnSmallDisk(controlPlane, { name: 'stubborn' });
    agent.startsFull = true;
    agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
    const obstacle = join(agent.runDir, 'executor.sock');
    mkdirSync(obstacle, { recursive: true, mode: 0o700 });
    const bare = await run('unshare', agent.command('run'), { env: agent.env });
    assert.equal(bare.code, 1, bare.stderr);
    agent.supervise();
    for (const code of ['crypto.key_unwritable', 'executor.socket_failed'])
        await eventually(code, () => agent.process.stderr.includes(code), { within: 30_000 });
    rmdirSync(obstacle);
    rmSync(agent.filler);
    agent.vm = await agent.online({ within: 120_000 });
    await agent.stop();
});

test('restart on a full disk: it is back by itself, as the same agent', { skip: await whyNoSmallDisk() }, async () => {
    const agent = new AgentOnSmallDisk(controlPlane, { name: 'no-room' });
    agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
    agent.supervise();
    agent.vm = await agent.online();
    const { sequence } = await eventually('it says so', () => agent.worker);
    agent.fillDisk();
    const worker = await comesBack(agent, 'worker');
    await eventually('it is connected again', () => agent.worker?.connected && agent.worker.sequence > sequence, { within: 30_000 });
    assert.equal(agent.pidOf('worker'), worker, 'at once');
    assert.equal(agent.worker.spoolInMemory, false, 'what it had spooled is there');
    assert.equal((await controlPlane.must('GET', '/v1/vms?name=no-room')).items.length, 1, 'no second VM');
    await agent.stop();
});

test('a spool that cannot be opened: it waits in memory, and goes into the file once it can', async () => {
    const agent = new Agent(controlPlane, { name: 'improviser' });
    const obstacle = join(agent.dataDir, 'spool.db');
    mkdirSync(obstacle, { recursive: true, mode: 0o700 });
    agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
    agent.supervise();
    agent.vm = await agent.online();
    assert.equal((await agent.status()).worker.spoolInMemory, true);
    const said = agent.process.logLines.filter((line) => /cannot be kept in its file/.test(line.message));
    assert.equal(said.length, 1, agent.process.tail());
    assert.equal(said[0].path, obstacle);
    rmdirSync(obstacle);
    await eventually('the spool is in its file', () => existsSync(obstacle), { within: 40_000, every: 200 });
    await eventually('it says so', () => agent.process.stderr.includes('in its file again'));
    await agent.stop();
});

test('status says nothing of a worker that has ended', async () => {
    const agent = await Agent.start(controlPlane, { name: 'reborn' });
    assert.ok((await agent.status()).worker.connected);
    const before = agent.pidOf('worker');
    await agent.process.killHard();
    await eventually('the worker has ended', () => !isAlive(before));
    const server = await silentServer();
    const next = new Agent(controlPlane, { name: 'reborn', folder: agent.folder, url: server.url });
    next.runBare();
    await eventually('the next one runs', () => next.pidOf('worker') === next.process.pid);
    const status = await next.status();
    assert.equal(status.running, true);
    assert.equal(status.worker, null);
    await next.stop();
    server.close();
});

test('a signal that says nothing ends neither a worker nor an enrollment', async () => {
    const server = await silentServer();
    const enrolling = new Agent(controlPlane, { name: 'undisturbed', url: server.url });
    enrolling.giveToken(`sxe_${'0'.repeat(26)}.${'a'.repeat(32)}`);
    enrolling.runBare();
    await eventually('it enrolls', () => server.wasCalled);
    const agent = await Agent.start(controlPlane, { name: 'unimpressed' });
    const worker = agent.pidOf('worker');
    for (const pid of [enrolling.process.pid, worker]) process.kill(pid, 'SIGUSR1');
    await throughout(1000, () => {
        assert.ok(enrolling.process.isRunning, enrolling.process.tail());
        assert.equal(agent.pidOf('worker'), worker);
    });
    assert.deepEqual(await enrolling.stop(), { code: 0, signal: null });
    await agent.stop();
    server.close();
});

test('an executor that gives up leaves the worker alone, and the VM is degraded', async () => {
    const agent = new Agent(controlPlane, { name: 'one-legged' });
    agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
    mkdirSync(agent.runDir, { recursive: true });
    chmodSync(agent.runDir, 0o777);
    agent.supervise();
    await eventually('the VM is degraded', async () => (await agent.find())?.state === 'degraded', { within: 60_000, every: 200 });
    assert.match(agent.process.stderr, /executor\.socket_unsafe/);
    assert.equal(agent.pidOf('executor'), undefined);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
});

test('the worker runs alone too, and the VM says that it is degraded', async () => {
    const agent = new Agent(controlPlane, { name: 'lonely' });
    agent.giveToken((await controlPlane.enrollmentToken()).token);
    agent.runBare();
    await eventually('the VM is degraded', async () => (await agent.find())?.state === 'degraded', { within: 60_000, every: 200 });
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    await eventually('the VM is offline', async () => (await agent.find()).state === 'offline');
});

test('the agent\'s secrets are its own', async () => {
    const agent = await Agent.start(controlPlane, { name: 'private' });
    const modeOf = (path) => statSync(path).mode & 0o777;
    assert.equal(modeOf(agent.dataDir), 0o700);
    assert.equal(modeOf(agent.runDir) & 0o077, 0);
    assert.ok(!agent.process.stderr.includes('sxe_'), 'no token in the log');
    await agent.stop();
});

test('without a token or identity the agent says what it needs', async () => {
    const agent = new Agent(controlPlane, { name: 'empty-handed' });
    agent.runBare();
    const { code } = await agent.process.exited;
    assert.equal(code, 78, agent.process.tail());
    assert.match(agent.process.stderr, /token/);
});

test('a bad setting is one sentence with its place', async () => {
    const agent = new Agent(controlPlane);
    const bad = async (parameters, env = {}) => {
        const done = await run(program('synapsex-agent'), ['run', ...agent.flags, ...parameters], { env: { ...agent.env, ...env } });
        assert.equal(done.code, 78, done.stderr);
        return done.stderr.trim();
    };
    assert.match(await bad([], { SYNAPSEX_AGENT_LOG_LEVEL: 'loud' }), /log_level is debug, info, warning or error, not 'loud'/);
    writeFileSync(agent.env.SYNAPSEX_AGENT_CONFIG, 'colour = "red"\n');
    assert.match(await bad([]), /agent\.toml: there is no setting 'colour'/);
    writeFileSync(agent.env.SYNAPSEX_AGENT_CONFIG, 'url = \n');
    assert.match(await bad([]), /agent\.toml, line 1/);
    writeFileSync(agent.env.SYNAPSEX_AGENT_CONFIG, '');
    const remote = new Agent(controlPlane, { url: 'http://control.example.com' });
    const insecure = await run(program('synapsex-agent'), ['run', ...remote.flags], { env: remote.env });
    assert.equal(insecure.code, 78);
    assert.match(insecure.stderr, /http:\/\/ is allowed only to this machine itself/);
});

test('nobody reads its log: worker and supervisor go on, and a killed worker comes back', async () => {
    const agent = await Agent.start(controlPlane, { name: 'unheard' });
    agent.process.child.stderr.destroy();
    agent.process.child.stdout.destroy();
    const { sequence } = (await agent.status()).worker;
    // The supervisor logs its end and its start, the new worker that it is connected.
    const worker = await comesBack(agent, 'worker');
    await eventually('it is connected again', async () => {
        const found = (await agent.status()).worker;
        return found?.connected && found.sequence > sequence;
    }, { within: 60_000, every: 200 });
    assert.equal(agent.pidOf('worker'), worker, 'the same worker still');
    await agent.stop();
});
