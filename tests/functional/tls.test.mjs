// TLS from outside: agents, the CLI and others come in by it, certificates are renewed while it
// serves, and who does not speak it is told so.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import https from 'node:https';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { Authority } from '../support/certificates.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { rawRequest } from '../support/http.mjs';
import { allMessages } from '../support/outbox.mjs';
import { eventually, freePort, program, run, temporaryFolder } from '../support/processes.mjs';

const authority = new Authority();
const ca = readFileSync(authority.file);
let files;
let port;
let controlPlane;

const tlsSettings = (tlsPort, { certificate, key }) => [
    '--listen-tls', `127.0.0.1:${tlsPort}`, '--tls-certificate', certificate, '--tls-key', key,
    '--public-url', `https://localhost:${tlsPort}`,
];

before(async () => {
    files = authority.issue();
    port = await freePort();
    controlPlane = await ControlPlane.start({ settings: tlsSettings(port, files) });
});
after(async () => { await controlPlane?.stop(); });

// One GET, on an agent of its own unless one is given.
const get = (path, { agent, ...options } = {}) => new Promise((done, failed) => {
    https.get({ host: 'localhost', port, path, ca, agent: agent ?? new https.Agent({ keepAlive: false }), ...options }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => done({ status: answer.statusCode, text }));
    }).on('error', failed);
});

// What a handshake comes to: {version, fingerprint} or the error's code.
const handshake = (options = {}) => new Promise((done) => {
    const socket = connect({ host: 'localhost', port, servername: 'localhost', ca, ...options }, () => {
        done({ version: socket.getProtocol(), fingerprint: socket.getPeerCertificate().fingerprint256 });
        socket.destroy();
    });
    socket.on('error', (error) => done({ error: error.code }));
});

const metric = async (name) => Number(new RegExp(`^${name} (.+)$`, 'm').exec((await get('/metrics')).text)[1]);

test('the same API on both ports', async () => {
    assert.equal((await get('/readyz')).status, 200);
    assert.equal((await controlPlane.get('/readyz')).status, 200);
});

test('1.3 is preferred, 1.2 taken, 1.1 refused', async () => {
    assert.equal((await handshake()).version, 'TLSv1.3');
    assert.equal((await handshake({ maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
    const old = await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    assert.ok(old.error, JSON.stringify(old));
    assert.ok(await metric('synapsex_tls_handshakes_failed') >= 1);
});

test('HTTP in clear is told to use https', async () => {
    const said = await rawRequest(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(said, /^HTTP\/1\.1 400 /);
    assert.equal(JSON.parse(said.split('\r\n\r\n')[1]).code, 'request.plain_http');
});

test('an agent and the CLI come in by it, trusting the authority they were given', async () => {
    const agent = await Agent.start(controlPlane, {
        name: 'by-tls', url: `https://localhost:${port}`, settings: ['--ca-file', authority.file],
    });
    assert.equal(agent.vm.state, 'online');
    const { key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'cli' });
    const cli = (...more) => run(program('synapsexctl'), [
        '--url', `https://localhost:${port}`, ...more, 'vms', 'list',
    ], { env: { SYNAPSEX_API_KEY: key, HOME: temporaryFolder() } });
    const trusting = await cli('--ca-file', authority.file);
    assert.equal(trusting.code, 0, trusting.stderr);
    assert.match(trusting.stdout, /by-tls/);
    const distrustful = await cli();
    assert.notEqual(distrustful.code, 0);
    assert.match(distrustful.stderr, /--ca-file/);
    await agent.stop();
});

test('a renewed certificate is taken without a restart, and open connections go on', async () => {
    const keep = new https.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await get('/healthz', { agent: keep })).status, 200);
    const before = (await handshake()).fingerprint;
    const notAfter = await metric('synapsex_tls_certificate_not_after_timestamp_seconds');
    authority.issue({ into: files.folder, days: 120 });
    process.kill(controlPlane.process.pid, 'SIGHUP');
    const fingerprint = await eventually('new connections get the new one', async () => {
        const now = (await handshake()).fingerprint;
        return now !== before && now;
    });
    assert.match(fingerprint, /^[0-9A-F:]+$/);
    assert.equal((await get('/healthz', { agent: keep })).status, 200);
    keep.destroy();
    const later = await metric('synapsex_tls_certificate_not_after_timestamp_seconds');
    assert.ok(Math.abs(later - notAfter - 30 * 86_400) < 300, `${later - notAfter}`);
});

test('files that do not go together leave the old one in use, and /readyz says so', async () => {
    const now = (await handshake()).fingerprint;
    const other = authority.issue();
    const old = readFileSync(files.key);
    writeFileSync(files.key, readFileSync(other.key));
    process.kill(controlPlane.process.pid, 'SIGHUP');
    await eventually('the task fails', async () => {
        const checks = JSON.parse((await get('/readyz')).text).checks;
        return checks.some((check) => check.name === 'task platform.watch_certificate' && /fails since/.test(check.detail));
    });
    assert.equal((await handshake()).fingerprint, now);
    writeFileSync(files.key, old);
    process.kill(controlPlane.process.pid, 'SIGHUP');
    await eventually('the task succeeds', async () => {
        const checks = JSON.parse((await get('/readyz')).text).checks;
        return checks.some((check) => check.name === 'task platform.watch_certificate' && /succeeded/.test(check.detail));
    });
});

test('a certificate that comes to its end is told of once, in the log and as an event', async () => {
    authority.issue({ into: files.folder, days: 5 });
    process.kill(controlPlane.process.pid, 'SIGHUP');
    const told = () => controlPlane.logLines.filter((line) => line.message === 'the certificate expires soon');
    await eventually('it is told of', () => told().length > 0);
    process.kill(controlPlane.process.pid, 'SIGHUP');
    await eventually('it was looked at again', () => controlPlane.logLines.filter((line) => /read the certificate again/.test(line.message)).length >= 4);
    assert.equal(told().length, 1);
    const events = allMessages(controlPlane.database).filter(({ type }) => type.startsWith('certificate.'));
    assert.equal(events.length, 1, JSON.stringify(events));
    assert.match(JSON.stringify(events), /expiring/);
});

test('what is wrong with the files keeps it from starting, in one sentence', async () => {
    const refuses = async (given, pattern) => {
        const done = await controlPlane.run([
            'serve', '--config', controlPlane.configFile, '--data-dir', controlPlane.dataDir,
            '--listen', `127.0.0.1:${await freePort()}`, ...controlPlane.database.flags, ...tlsSettings(await freePort(), given),
            '--log-level', 'error',
        ]);
        assert.equal(done.code, 1, done.stderr);
        const said = done.stderr.split('\n').filter((line) => line && !line.startsWith('{'));
        assert.equal(said.length, 1, done.stderr);
        assert.match(said[0], pattern);
    };
    const other = authority.issue();
    await refuses({ certificate: '/nowhere/server.crt', key: other.key }, /\/nowhere\/server\.crt: .*No such file/i);
    await refuses({ certificate: other.certificate, key: files.key }, /is not the key of the certificate/);
    chmodSync(other.key, 0o644);
    await refuses({ certificate: other.certificate, key: other.key }, /others than its owner may use it; chmod 0600/);
});
