// The control plane's own certificate authority, from outside: an enrollment token tells an agent
// what to pin, the agent talks to nobody else, says what is wrong, and comes back by itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { Authority } from '../support/certificates.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually, freePort, temporaryFolder } from '../support/processes.mjs';

let port;
let controlPlane;
let agent;
const url = () => `https://localhost:${port}`;
const own = () => ['--listen-tls', `127.0.0.1:${port}`, '--public-url', url()];

before(async () => {
    port = await freePort();
    controlPlane = await ControlPlane.start({ settings: own() });
});
after(async () => {
    await agent?.stop();
    await controlPlane?.stop();
});

const authorityFile = () => join(controlPlane.dataDir, 'keys', 'authority.key');
const keysLine = async (name) => {
    const listed = await controlPlane.run(['keys', ...controlPlane.flags]);
    assert.equal(listed.code, 0, listed.stderr);
    return listed.stdout.split('\n').map((line) => line.split('\t')).find(([first]) => first === name);
};
const pin = async () => (await keysLine('authority'))[2];
const manage = async (wish) => controlPlane.run(['authority', wish, ...controlPlane.flags]);
const identity = (of) => JSON.parse(readFileSync(join(of.dataDir, 'identity.json'), 'utf8'));
// The control plane again, with other flags of TLS.
const restart = async (tls) => {
    await controlPlane.stop();
    controlPlane.settings = [...controlPlane.database.flags, ...tls];
    await controlPlane.serve();
};
const says = (of, code) => eventually(`the agent says ${code}`, async () => (await of.status()).worker?.lastProblem?.startsWith(code), { within: 90_000 });
// A heartbeat is held for a minute; who watches its VM has it answered at once.
const pinned = (of, what, isSo) => eventually(`the agent pins ${what}`, async () => {
    if (await isSo(identity(of).authorityPins)) return true;
    controlPlane.process.child.kill('SIGHUP');  // it would look by itself within 15 s
    await controlPlane.must('POST', `/v1/vms/${(await of.find()).id}/watch`, { seconds: 60 });
    return false;
}, { within: 150_000, every: 500 });
const isBack = (of) => eventually('it is online again', async () => (await of.status()).worker?.lastProblem === '' && (await of.find())?.state === 'online', { within: 150_000 });

test('init makes the authority, and a server without a certificate has one of it', async () => {
    const [, algorithm, text, until] = await keysLine('authority');
    assert.equal(algorithm, 'ECDSA P-256');
    assert.match(text, /^[\w-]{43}$/);
    assert.match(until, /^until 20\d\d-/);
    const shown = await manage('show');
    assert.match(shown.stdout, /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/);
    const status = await new Promise((done, failed) => {
        https.get(`${url()}/healthz`, { ca: shown.stdout }, (answer) => { answer.resume(); done(answer.statusCode); }).on('error', failed);
    });
    assert.equal(status, 200);
});

test('a token names the authority, and an agent with it needs nothing else', async () => {
    const { token } = await controlPlane.enrollmentToken({ name: 'trusting' });
    const parts = token.split('.');
    assert.equal(parts.length, 3);
    assert.equal(parts[2], await pin());
    agent = new Agent(controlPlane, { name: 'trusting', url: url() });
    agent.giveToken(token);
    agent.supervise();
    await agent.online();
    assert.deepEqual(identity(agent).authorityPins, [parts[2]]);
    assert.ok(!existsSync(agent.tokenFile) || readFileSync(agent.tokenFile, 'utf8') === '');
});

test('a token that was cut off is told so, and nothing is asked', async () => {
    const { token } = await controlPlane.enrollmentToken({ name: 'cut' });
    const cut = new Agent(controlPlane, { name: 'cut', url: url() });
    cut.giveToken(token.slice(0, -1));
    cut.runBare();
    const ended = await cut.process.exited;
    assert.equal(ended.code, 78);
    assert.match(cut.process.tail(), /is no whole enrollment token; copy it again/);
});

test('a token of another authority enrolls nobody', async () => {
    const { token } = await controlPlane.enrollmentToken({ name: 'deceived' });
    const deceived = new Agent(controlPlane, { name: 'deceived', url: url() });
    deceived.giveToken(token.slice(0, -43) + 'A'.repeat(43));
    deceived.runBare();
    await eventually('it says whose it is not', () => /net\.tls_authority/.test(deceived.process.tail()));
    assert.ok(!existsSync(join(deceived.dataDir, 'identity.json')));
    await deceived.stop();
});

test('another server at the address gets nothing, and the agent comes back to its own', async () => {
    await controlPlane.stop();
    const { certificate, key } = new Authority('SynapseX authority 00000000').issue();
    let heard = 0;
    const impostor = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, answer) => { ++heard; answer.end(); });
    await new Promise((done) => { impostor.listen(port, '127.0.0.1', done); });
    try {
        await says(agent, 'net.tls_authority');
    } finally {
        impostor.closeAllConnections();
        await new Promise((done) => { impostor.close(done); });
    }
    assert.equal(heard, 0);
    await controlPlane.serve();
    await isBack(agent);
});

test('a certificate for another name', async () => {
    await restart([...own(), '--tls-names', 'another.example.com,192.0.2.7']);
    await says(agent, 'net.tls_name');
    await restart(own());
    await isBack(agent);
});

test('a certificate that has ended', async () => {
    const folder = temporaryFolder();
    const at = (name) => join(folder, name);
    const openssl = (...parameters) => execFileSync('openssl', parameters, { stdio: 'pipe' });
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=localhost');
    writeFileSync(at('names'), 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n');
    openssl('x509', '-req', '-in', at('csr'), '-CA', authorityFile(), '-CAkey', authorityFile(), '-days', '0', '-set_serial', '7', '-extfile', at('names'), '-out', at('crt'));
    writeFileSync(at('chain'), readFileSync(at('crt'), 'utf8') + (await manage('show')).stdout);
    chmodSync(at('key'), 0o600);
    await restart([...own(), '--tls-certificate', at('chain'), '--tls-key', at('key')]);
    await says(agent, 'net.tls_expired');
    await restart(own());
    await isBack(agent);
});

test('one authority follows another, and no agent notices but by its pins', async () => {
    const former = await pin();
    const rotated = await manage('rotate');
    assert.equal(rotated.code, 0, rotated.stderr);
    const next = await pin();
    assert.notEqual(next, former);
    assert.equal((await keysLine('authority (former)'))[2], former);
    const again = await manage('rotate');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /authority retire/);
    await eventually('the server shows the new one', async () => (await controlPlane.enrollmentToken({ name: 'next' })).token.endsWith(next));
    // Its connection of before ends with the next answer, without a restart of either side.
    await pinned(agent, 'both', (pins) => pins.length === 2);
    assert.deepEqual(identity(agent).authorityPins, [next, former]);

    const newcomer = await Agent.start(controlPlane, { name: 'newcomer', url: url() });
    assert.deepEqual(identity(newcomer).authorityPins, [next]);
    await newcomer.stop();

    const retired = await manage('retire');
    assert.equal(retired.code, 0, retired.stderr);
    assert.match(retired.stdout, new RegExp(`authority_pin = "${next}"`));
    await pinned(agent, 'the new one alone', (pins) => pins.length === 1);
    assert.deepEqual(identity(agent).authorityPins, [next]);
    await isBack(agent);
    assert.equal((await manage('retire')).code, 1);
});

test('who was away too long is let in by its own operator, and by nobody else', async () => {
    const { token } = await controlPlane.enrollmentToken({ name: 'away' });
    const away = await Agent.start(controlPlane, { name: 'away', url: url() });
    assert.ok(token);
    await away.stop();
    for (const wish of ['rotate', 'retire']) assert.equal((await manage(wish)).code, 0);
    await restart(own());
    away.supervise();
    await says(away, 'net.tls_authority');
    await away.stop();
    away.flags.push('--authority-pin', await pin());
    away.supervise();
    await isBack(away);
    // It is pinned now, and what follows on its signature is not forgotten: with the setting or
    // without it.
    await pinned(away, 'what its operator said', async (pins) => pins[0] === await pin());
    const said = await pin();
    assert.equal((await manage('rotate')).code, 0);
    await pinned(away, 'both', (pins) => pins.length === 2);
    assert.equal((await manage('retire')).code, 0);
    await pinned(away, 'the new one alone', (pins) => pins.length === 1);
    await away.stop();
    assert.notEqual(await pin(), said);
    away.supervise();
    await isBack(away);
    await away.stop();
    away.flags.splice(away.flags.indexOf('--authority-pin'), 2);
    away.supervise();
    await isBack(away);
    await away.stop();
});

test('without its authority the server does not start, and says what to do', async () => {
    await controlPlane.stop();
    renameSync(authorityFile(), `${authorityFile()}.away`);
    const refused = await controlPlane.run(['serve', ...controlPlane.flags]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /authority\.key is not there; restore it from the backup/);
    renameSync(`${authorityFile()}.away`, authorityFile());
    await controlPlane.serve();
});
