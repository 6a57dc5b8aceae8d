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
const sampleCount = async (plane, agent) => (await samplesOf(plane, agent)).length;

test('an agent whose clock is wrong stays in touch, keeps its samples and says so', { timeout: 600_000 }, async (t) => {
    const plane = await ControlPlane.start();
    const clock = new Clock();
    const agent = await startAgent(plane, clock, { name: 'wrong' });
    await eventually('there are samples', async () => await sampleCount(plane, agent) > 0, { within: 90_000 });
    for (const [what, offset] of Object.entries(offsets))
        await t.test(what, async () => {
            await agent.stop();
            clock.set(offset);
            agent.supervise();
            await statusSays(agent, 'it is connected, and says that the clocks disagree', (worker) => worker.connected && worker.clocksDisagree && worker.lastProblem === '');
            assert.equal((await agent.find()).state, 'online');
            const dropped = (await agent.status()).worker.droppedSamples;
            await statusSays(agent, 'samples wait', (worker) => worker.spooledSamples > 0);
            clock.set(0);
            await statusSays(agent, 'the clocks agree', (worker) => worker.connected && !worker.clocksDisagree);
            const { worker } = await agent.status();
            assert.equal(worker.droppedSamples, dropped);
        });
    await agent.stop();
    await plane.stop();
});

test('a control plane whose clock is wrong loses no samples, and what it issued then is worth nothing afterwards', { timeout: 600_000 }, async (t) => {
    const clock = new Clock();
    const plane = await ControlPlane.start({ env: clock.env });
    const agent = await startAgent(plane, new Clock(), { name: 'right' });
    await eventually('there are samples', async () => await sampleCount(plane, agent) > 0, { within: 90_000 });
    const first = (await samplesOf(plane, agent))[0];
    for (const [what, offset] of Object.entries(offsets))
        await t.test(what, async () => {
            clock.set(offset);
            await statusSays(agent, 'the agent sees that the clocks disagree', (worker) => worker.connected && worker.clocksDisagree);
            await statusSays(agent, 'samples wait', (worker) => worker.spooledSamples > 0);
            // Whoever signs in meanwhile gets a token of that time.
            const owner = await plane.signIn(plane.credentials);
            const enrollment = await plane.must('POST', '/v1/agents/enrollment-tokens', {}, { as: owner });
            clock.set(0);
            assertProblem(await plane.get('/v1/auth/me', { as: owner }), 401, 'auth.credential_expired');
            const late = await new JsonAgent(plane).enroll(enrollment.token);
            assertProblem(late, 401, 'enrollment.token_expired');
            plane.owner = await plane.signIn(plane.credentials);
            await statusSays(agent, 'the clocks agree, and nothing waits', (worker) => worker.connected && !worker.clocksDisagree && worker.spooledSamples === 0);
            assert.equal((await agent.status()).worker.droppedSamples, 0);
        });
    const samples = await samplesOf(plane, agent);
    const at = samples.map((sample) => Date.parse(sample.at ?? sample.time));
    assert.equal(samples[0].at ?? samples[0].time, first.at ?? first.time);
    assert.deepEqual(at.slice(1).filter((time, i) => time - at[i] !== 15_000), [], 'no slot is missing');
    await agent.stop();
    await plane.stop();
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
