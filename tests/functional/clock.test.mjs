// Clocks that are wrong, by a day and by ten years, on either side and in both directions. Agents
// stay in touch, lose no samples and see nothing come back that has expired.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually, freePort, root, temporaryFolder } from '../support/processes.mjs';

const kDay = 86_400;
const kYears = 10 * 365 * kDay;
const offsets = { 'a day behind': -kDay, 'a day ahead': kDay, 'ten years behind': -kYears, 'ten years ahead': kYears };

// A wall clock of its own for a program, which can be set while it runs.
class Clock {
    static folder;
    static library;
    static build() {
        // The loader takes a space for the end of a name.
        Clock.folder = mkdtempSync(join(tmpdir(), 'sx-clock-'));
        Clock.library = join(Clock.folder, 'shifted_clock.so');
        execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', Clock.library, join(root, 'tests', 'vm', 'kit', 'shifted_clock.c')]);
    }
    constructor() {
        this.file = join(temporaryFolder(), 'clock');
        this.set(0);
        // The sanitizers want to be loaded before anything else, and need not be.
        this.env = { LD_PRELOAD: Clock.library, SYNAPSEX_TEST_CLOCK: this.file, ASAN_OPTIONS: 'verify_asan_link_order=0' };
    }
    set(seconds) {
        writeFileSync(`${this.file}.new`, String(seconds));
        renameSync(`${this.file}.new`, this.file);
    }
}

before(() => Clock.build());
after(() => { if (Clock.folder) rmSync(Clock.folder, { recursive: true }); });

async function startAgent(plane, clock, { tls, name }) {
    const agent = new Agent(plane, { name, url: tls });
    agent.env = { ...agent.env, ...clock.env };
    agent.giveToken((await plane.enrollmentToken({ name })).token);
    agent.supervise();
    agent.vm = await agent.online();
    return agent;
}
const statusSays = (agent, what, look) => eventually(what, async () => {
    const { worker } = await agent.status();
    return worker && look(worker) && worker;
}, { within: 150_000 });
const started = new Date(Date.now() - 3600_000).toISOString();
const samplesOf = async (plane, agent) => (await plane.must('GET', `/v1/vms/${agent.vm.id}/telemetry?from=${started}&limit=1000`)).items;

// Ends the agent's poll, so that it hears of the clocks now; as somebody who signs in at that time.
async function nudge(plane, agent) {
    const as = await plane.signIn(plane.credentials);
    await plane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 300 }, { as });
    return as;
}

test('agents whose clocks are wrong stay in touch, keep their samples and say so', { timeout: 400_000 }, async () => {
    const plane = await ControlPlane.start();
    await Promise.all(Object.entries(offsets).map(async ([name, offset]) => {
        const clock = new Clock();
        const agent = await startAgent(plane, clock, { name });
        await agent.stop();
        clock.set(offset);
        agent.supervise();
        await statusSays(agent, `${name}: it is connected, and the clocks disagree`, (worker) => worker.connected && worker.clocksDisagree && worker.lastProblem === '');
        assert.equal((await agent.find()).state, 'online');
        await statusSays(agent, `${name}: samples wait`, (worker) => worker.spooledSamples > 0);
        clock.set(0);
        await nudge(plane, agent);
        const { droppedSamples } = await statusSays(agent, `${name}: the clocks agree`, (worker) => worker.connected && !worker.clocksDisagree);
        assert.equal(droppedSamples, 0);
        await agent.stop();
    }));
    await plane.stop();
});

test('control planes whose clocks are wrong lose no samples, and what they issued then is worth nothing later', { timeout: 400_000 }, async () => {
    await Promise.all(Object.entries(offsets).map(async ([name, offset]) => {
        const clock = new Clock();
        const plane = await ControlPlane.start({ env: clock.env });
        const agent = await startAgent(plane, new Clock(), { name });
        await eventually(`${name}: there are samples`, async () => (await samplesOf(plane, agent)).length > 0, { within: 90_000 });
        clock.set(offset);
        const owner = await nudge(plane, agent);
        await statusSays(agent, `${name}: the clocks disagree`, (worker) => worker.connected && worker.clocksDisagree);
        await statusSays(agent, `${name}: samples wait`, (worker) => worker.spooledSamples > 0);
        const enrollment = await plane.must('POST', '/v1/agents/enrollment-tokens', {}, { as: owner });
        clock.set(0);
        // Who a token is, is remembered for 5 s.
        await eventually(`${name}: the token has ended`, async () => (await plane.get('/v1/auth/me', { as: owner })).status === 401);
        assertProblem(await plane.get('/v1/auth/me', { as: owner }), 401, 'auth.credential_expired');
        assertProblem(await new JsonAgent(plane).enroll(enrollment.token), 401, 'enrollment.token_expired');
        plane.owner = await nudge(plane, agent);
        const { droppedSamples } = await statusSays(agent, `${name}: nothing waits any more`, (worker) => worker.connected && !worker.clocksDisagree && worker.spooledSamples === 0);
        assert.equal(droppedSamples, 0);
        const at = (await samplesOf(plane, agent)).map((sample) => Date.parse(sample.at));
        assert.deepEqual(at.slice(1).filter((time, k) => time - at[k] !== 15_000), [], `${name}: no slot is missing`);
        await agent.stop();
        await plane.stop();
    }));
});

test('over TLS: what has expired does not come back, and the agent says what to do', { timeout: 600_000 }, async () => {
    const port = await freePort();
    const tls = `https://localhost:${port}`;
    const plane = await ControlPlane.start({ settings: ['--listen-tls', `127.0.0.1:${port}`, '--public-url', tls] });
    const clock = new Clock();
    const agent = await startAgent(plane, clock, { name: 'tls', tls });
    const floor = join(agent.dataDir, 'time.floor');
    await eventually('it remembers the time', () => existsSync(floor));
    assert.ok(Math.abs(Date.parse(readFileSync(floor, 'utf8').trim()) - Date.now()) < 600_000);
    await agent.stop();

    // The clock of a VM without a battery: the certificate is held to the time that was.
    clock.set(-kYears);
    agent.supervise();
    await statusSays(agent, 'it is connected', (worker) => worker.connected && worker.clocksDisagree);
    const before = readFileSync(floor, 'utf8');
    await agent.stop();

    // Ten years ahead every certificate has ended. Nobody but a person can say which is wrong.
    clock.set(kYears);
    agent.supervise();
    const worker = await statusSays(agent, 'it says why not', ({ lastProblem }) => lastProblem === 'net.tls_expired');
    assert.match(worker.lastProblemDetail, /a certificate of the server ended at 20\d\d-.*, and by this machine's clock it is 203\d-.*: set the clock if that is wrong/);
    assert.equal(readFileSync(floor, 'utf8'), before, 'a wrong clock leaves no trace');
    clock.set(0);
    await statusSays(agent, 'it mends itself', ({ connected, lastProblem }) => connected && lastProblem === '');
    await agent.stop();
    await plane.stop();
});
