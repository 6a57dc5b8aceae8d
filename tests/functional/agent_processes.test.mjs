// What keeps the agent running: the supervisor brings back worker and executor, one agent has one
// data directory, and everything ends together.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually, isAlive, program, run, throughout } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

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

test('a second agent on the same data directory says so and ends', async () => {
    const agent = await Agent.start(controlPlane, { name: 'only-one' });
    const second = await run(program('synapsex-agent'), ['run', ...agent.flags], { env: agent.env });
    assert.equal(second.code, 78, second.stderr);
    assert.match(second.stderr, /agent\.already_running/);
    assert.ok((await agent.status()).worker.connected, 'the first goes on');
    await agent.stop();
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

test('the agent lives on while its disk is read anew and its log is closed', async () => {
    const agent = await Agent.start(controlPlane, { name: 'steady' });
    const memory = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${agent.pidOf('worker')}/status`, 'utf8'))[1]);
    agent.process.child.stderr.destroy();
    agent.process.child.stdout.destroy();
    await throughout(3000, () => assert.ok(agent.pidOf('worker') && memory() > 0), { every: 500 });
    await agent.stop();
});
