// Clocks that are wrong, by a day and by ten years, on either side and in both directions. Agents
// stay in touch, lose no samples and see nothing come back that has expired.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually, freePort, program, root, run, temporaryFolder } from '../support/processes.mjs';

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
}, { within: 150_000, every: 500 });
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

async function startTls() {
    const port = await freePort();
    const tls = `https://localhost:${port}`;
    const plane = await ControlPlane.start({ settings: ['--listen-tls', `127.0.0.1:${port}`, '--public-url', tls] });
    return { plane, tls };
}
const isOff = (worker, seconds) => worker.connected && worker.clocksDisagree && Math.abs(worker.clockAheadSeconds - seconds) < 600;

test('over TLS: years away in either direction the server proves the time, and nobody touches the VM', { timeout: 600_000 }, async () => {
    const { plane, tls } = await startTls();
    const clock = new Clock();
    const agent = await startAgent(plane, clock, { name: 'tls', tls });
    const floor = join(agent.dataDir, 'time.floor');
    await eventually('it remembers the time', () => existsSync(floor));
    assert.ok(Math.abs(Date.parse(readFileSync(floor, 'utf8').trim()) - Date.now()) < 600_000);
    await agent.stop();

    // The clock of a VM without a battery: the certificate is held to the time that was.
    clock.set(-kYears);
    agent.supervise();
    const behind = await statusSays(agent, 'it is connected', (worker) => isOff(worker, -kYears));
    assert.equal(behind.timeProven, undefined, 'nothing has to be proved');
    const before = readFileSync(floor, 'utf8');
    await agent.stop();

    // Ten years ahead every certificate seems to have ended; and it was away when the authority that
    // it pins was followed by another, whose key is the only one left to sign.
    assert.equal((await plane.run(['authority', 'rotate', ...plane.flags])).code, 0);
    plane.process.child.kill('SIGHUP');
    const [pinned] = JSON.parse(readFileSync(join(agent.dataDir, 'identity.json'), 'utf8')).authorityPins;
    await eventually('the server has the next authority', async () => !(await plane.enrollmentToken({ name: 'next' })).token.endsWith(pinned));
    clock.set(kYears);
    agent.supervise();
    const ahead = await statusSays(agent, 'it is connected by the time that was proved', (worker) => isOff(worker, kYears));
    assert.equal(ahead.timeProven, true);
    assert.equal(ahead.lastProblem, '');
    assert.equal((await agent.find()).state, 'online');
    await statusSays(agent, 'samples wait', (worker) => worker.spooledSamples > 0);
    assert.equal(readFileSync(floor, 'utf8'), before, 'a wrong clock leaves no trace');
    assert.match(agent.process.tail(), /certificates are held to the time that the control plane has proved/);
    const tried = await run(program('synapsex-agent'), ['test-connection', '--json', ...agent.flags], { env: agent.env });
    assert.equal(tried.code, 1, tried.stdout);
    const failed = JSON.parse(tried.stdout).steps.filter(({ result }) => result !== 'ok');
    assert.deepEqual(failed.map(({ step }) => step), ['clock'], 'all but the clock is as it should be');
    assert.match(failed[0].detail, /certificates are held to the time that the control plane has proved$/);
    assert.doesNotMatch(failed[0].advice, /[Cc]ertificate/);
    assert.equal(tried.stderr, '');
    clock.set(0);
    await nudge(plane, agent);
    const mended = await statusSays(agent, 'it mends itself', (worker) => worker.connected && !worker.clocksDisagree);
    assert.equal(mended.timeProven, undefined);
    assert.equal(mended.droppedSamples, 0);
    await agent.stop();

    // A VM that was off for longer than the certificate is old, and a new one.
    rmSync(floor);
    clock.set(-kYears);
    agent.supervise();
    await statusSays(agent, 'behind without a floor it is connected, too', (worker) => isOff(worker, -kYears) && worker.timeProven);
    await agent.stop();
    await Promise.all([kYears, -kYears].map(async (offset) => {
        const wrong = new Clock();
        wrong.set(offset);
        const fresh = await startAgent(plane, wrong, { name: `new by ${offset}`, tls });
        await statusSays(fresh, 'it says so', (worker) => isOff(worker, offset) && worker.timeProven);
        await fresh.stop();
    }));
    await plane.stop();
});

// Has the key of a server's certificate of this installation, which has ended.
class Thief {
    asked = [];
    answer = undefined;
    async start(plane) {
        const folder = temporaryFolder();
        const at = (name) => join(folder, name);
        const openssl = (...parameters) => execFileSync('openssl', parameters, { stdio: 'pipe' });
        openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=localhost');
        writeFileSync(at('names'), 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n');
        const authority = join(plane.dataDir, 'keys', 'authority.key');
        openssl('x509', '-req', '-in', at('csr'), '-CA', authority, '-CAkey', authority, '-days', '0', '-set_serial', '7', '-extfile', at('names'), '-out', at('crt'));
        const shown = await plane.run(['authority', 'show', ...plane.flags]);
        const cert = readFileSync(at('crt'), 'utf8') + shown.stdout;
        this.server = https.createServer({ cert, key: readFileSync(at('key')) }, async (request, response) => {
            let body = '';
            for await (const part of request) body += part;
            this.asked.push({ path: request.url, headers: request.headers, body });
            const { status, text } = await this.answer(body);
            response.writeHead(status, { 'content-type': 'application/json' }).end(text);
        });
        await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
        this.url = `https://localhost:${this.server.address().port}`;
    }
    async stop() {
        this.server.closeAllConnections();
        await new Promise((done) => { this.server.close(done); });
    }
}

test('over TLS: what has expired does not come back, whatever time a thief brings', { timeout: 600_000 }, async (story) => {
    const { plane, tls } = await startTls();
    const clock = new Clock();
    const agent = await startAgent(plane, clock, { name: 'robbed', tls });
    await agent.stop();
    const thief = new Thief();
    await thief.start(plane);
    story.after(() => thief.stop());
    const recorded = [];
    const relay = async (body) => {
        const response = await fetch(`${plane.url}/v1/agents/time`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        const text = await response.text();
        recorded.push(text);
        return { status: response.status, text };
    };
    const old = async (body) => ({ status: 200, text: JSON.stringify({ ...JSON.parse((await relay(body)).text), time: new Date(Date.now() - kDay * 1000).toISOString() }) });
    const replayed = async () => ({ status: 200, text: recorded[0] });
    const unknown = async () => ({ status: 404, text: '{"code":"request.not_found"}' });
    const unsigned = /a certificate of the server ended at 20\d\d-.*, and by this machine's clock it is 203\d-.*: set the clock if that is wrong, .* \(the control plane proves no other time: what it answered is not signed by its authority for this question\)/;
    const attempts = [
        { offset: kYears, answer: relay, says: /ended at 20\d\d-.*, and by the time that the control plane has proved \(this machine's clock says 203\d-.*\) it is 20[23]\d-.*: renew the certificate$/ },
        { offset: 0, answer: relay, says: /by the time that the control plane has proved/ },
        { offset: kYears, answer: replayed, says: unsigned },
        { offset: kYears, answer: old, says: unsigned },
        { offset: kYears, answer: unknown, says: /by this machine's clock it is 203.*proves no other time: request\.not_found\)/ },
    ];
    agent.flags[agent.flags.indexOf(tls)] = thief.url;
    for (const { offset, answer, says } of attempts) {
        thief.asked = [];
        thief.answer = answer;
        clock.set(offset);
        agent.supervise();
        const worker = await statusSays(agent, `it says ${says}`, ({ lastProblem, lastProblemDetail }) => lastProblem === 'net.tls_expired' && says.test(lastProblemDetail));
        assert.equal(worker.connected, false);
        await agent.stop();
        assert.ok(thief.asked.length > 0);
        for (const { path, headers, body } of thief.asked) {
            assert.equal(path, '/v1/agents/time');
            assert.deepEqual(Object.keys(headers).sort(), ['accept', 'content-length', 'content-type', 'host', 'user-agent']);
            assert.match(body, /^\{"nonce":"[\w-]{43}"\}$/);
        }
    }
    agent.flags[agent.flags.indexOf(thief.url)] = tls;
    clock.set(0);
    agent.supervise();
    await statusSays(agent, 'its own server is as good as ever', (worker) => worker.connected && !worker.clocksDisagree && worker.lastProblem === '');
    await agent.stop();
    await plane.stop();
});

test('the time is signed for one nonce, kept by nobody, and proved only where agents pin the key', async () => {
    const { plane } = await startTls();
    const ask = (body) => plane.post('/v1/agents/time', body);
    const nonce = randomBytes(32).toString('base64url');
    const answer = await ask({ nonce });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    const { time, publicKey, signature } = answer.json;
    const micros = BigInt(Date.parse(time)) * 1000n + BigInt((time.match(/\.\d{3}(\d{3})Z$/) ?? [0, 0])[1]);
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' });
    assert.ok(verify('sha256', Buffer.from(`synapsex-time-v1\n${nonce}\n${micros}\n`), key, Buffer.from(signature, 'base64url')));
    const pin = createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url');
    assert.equal((await plane.enrollmentToken({ name: 'pin' })).token.split('.')[2], pin);
    assertProblem(await ask({ nonce: `${'A'.repeat(42)}B` }), 400, 'agents.nonce_invalid');
    assertProblem(await ask({}), 400, 'request.invalid');
    assertProblem(await ask({ nonce, more: 'x'.repeat(2000) }), 413, 'request.body_too_large');
    await plane.stop();
    plane.settings = [...plane.database.flags];
    await plane.serve();
    assertProblem(await ask({ nonce }), 404, 'agents.no_authority');
    await plane.stop();
});
