// No secret gets out: canaries are planted wherever a secret can be, control plane and agent live
// through ordinary and failing requests at log level debug, and then every place that people or
// programs look into is searched for them, in every form that a program may have written them in.
// A word that is no secret is let into each kind of place, too: what does not find that searches
// nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { rawRequest } from '../support/http.mjs';
import { eventually, freePort, program, run, temporaryFolder } from '../support/processes.mjs';

const known = 'marker-that-is-no-secret-0f3b';

// --- searching ---

// The text of these bytes within longer ones, whatever stands before: base64 has three ways.
function base64Forms(bytes) {
    return [0, 1, 2].flatMap((shift) => {
        const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
        const whole = text.slice(shift === 0 ? 0 : shift + 1, (shift + bytes.length) % 3 === 0 ? undefined : -1);
        return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
    });
}
function formsOf(secret) {
    const bytes = Buffer.from(secret);
    const hex = bytes.toString('hex');
    const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    const forms = [bytes, hex, hex.toUpperCase(), percent, percent.toUpperCase(), ...base64Forms(bytes)];
    if (typeof secret === 'string') forms.push(encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1));
    return forms.map((form) => Buffer.from(form));
}
// "name of the place: name of the canary"
function found(places, canaries) {
    return Object.entries(places).flatMap(([place, bytes]) => {
        const where = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
        return Object.entries(canaries)
            .filter(([, secret]) => formsOf(secret).some((form) => where.includes(form)))
            .map(([name]) => `${place}: ${name}`);
    });
}

test('the search finds a secret in every form, and in the midst of something else', () => {
    const secret = 'Canary/+of "the" mine';
    const embedded = (bytes) => Buffer.concat([Buffer.from('ab'), bytes, Buffer.from('xyz')]);
    const places = {
        clear: `say ${secret}!`,
        json: JSON.stringify({ secret }),
        hex: embedded(Buffer.from(secret)).toString('hex'),
        upperHex: Buffer.from(secret).toString('hex').toUpperCase(),
        url: `?q=${encodeURIComponent(secret)}`,
        binary: embedded(Buffer.from(secret)),
    };
    for (const before of ['', 'a', 'ab', 'abc']) {
        places[`base64 after ${before.length}`] = Buffer.from(`${before}${secret}cd`).toString('base64');
        places[`base64url after ${before.length}`] = Buffer.from(`${before}${secret}c`).toString('base64url');
    }
    assert.equal(found(places, { secret }).length, Object.keys(places).length, found(places, { secret }).join('\n'));
    assert.deepEqual(found({ none: 'Canary of the mine' }, { secret }), []);
});

// --- planting ---

const canaries = {};
const places = {};
let controlPlane;
let agent;
const proxy = 'http://jane:canary-Proxy-93fa@127.0.0.1:9';
// As curl takes it, too: without a scheme.
const proxyInFile = 'j:canary-In-Agent-Env-d6@127.0.0.1:9';

const keep = (place, text) => { places[place] = Buffer.concat([places[place] ?? Buffer.alloc(0), Buffer.from(text ?? '')]); };
const keepOutput = (place, done) => keep(place, done.stdout + done.stderr);
// Bodies and headers of answers that are to hold no secret.
function keepAnswer(answer) {
    keep('answers', `${JSON.stringify(answer.headers)}${answer.text}`);
    return answer;
}

// The lines of a private key in PEM, and what they stand for.
function plantPem(name, file) {
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]*)-----END/.exec(readFileSync(file, 'utf8'))[1];
    const lines = key.trim().split('\n');
    lines.forEach((line, index) => { canaries[`${name}, line ${index + 1}`] = line; });
    const der = Buffer.from(key, 'base64');
    // Ed25519 in PKCS #8 ends with the key; P-256 has it at a place that the version's 1 and a size tell.
    const at = der.indexOf(Buffer.from([0x02, 0x01, 0x01, 0x04, 0x20]));
    canaries[`${name}, itself`] = at < 0 ? der.subarray(-32) : der.subarray(at + 5, at + 37);
}

before(async () => {
    const port = await freePort();
    controlPlane = await ControlPlane.start({
        settings: ['--log-level', 'debug', '--open-registration', 'true', '--listen-tls', `127.0.0.1:${port}`, '--public-url', `https://localhost:${port}`],
    });
    agent = new Agent(controlPlane, { name: known, settings: ['--log-level', 'debug', '--proxy', 'environment'] });
    agent.env = { ...agent.env, https_proxy: proxy, KNOWN: known };
    canaries['proxy password'] = 'canary-Proxy-93fa';
    canaries['proxy password of agent.env'] = 'canary-In-Agent-Env-d6';
    canaries['other secret of agent.env'] = 'canary-Other-Variable-b7';
    writeFileSync(join(agent.folder, 'agent.env'), `HTTPS_PROXY="${proxyInFile}"\nMY_API_KEY=${canaries['other secret of agent.env']}\n`, { mode: 0o600 });
});
after(async () => {
    await agent?.stop();
    if (controlPlane?.process?.isRunning) await controlPlane.stop();
});

test('canaries are planted by ordinary and failing requests', async () => {
    const { owner } = controlPlane;
    canaries['first password'] = controlPlane.credentials.password;
    canaries['access token'] = owner.accessToken.split('.')[2];
    canaries['refresh token'] = owner.refreshToken;

    const { token } = await controlPlane.enrollmentToken({ name: known });
    canaries['enrollment token'] = token.split('.')[1];
    agent.giveToken(token);
    agent.supervise();
    agent.vm = await agent.online();
    assert.equal((await run(program('synapsex-agent'), ['pause', '--reason', known, ...agent.flags], { env: agent.env })).code, 0);
    const made = await controlPlane.post('/v1/auth/keys', { name: known }, { as: owner, headers: { 'idempotency-key': 'canary-Idempotency-Key-71' } });
    assert.equal(made.status, 201, made.text);
    canaries['Idempotency-Key'] = 'canary-Idempotency-Key-71';
    canaries['API key'] = made.json.key;
    const person = await controlPlane.register('carol');
    canaries['chosen password'] = person.password;
    canaries['refresh token of another'] = person.refreshToken;

    // What goes wrong, with secrets in it.
    const secrets = { 'wrong password': 'canary-Wrong-Password-12', 'token of nobody': 'canary-Bearer-Of-Nobody-55', 'secret in a query': 'canary-In-Query-8d', 'secret in broken JSON': 'canary-In-Broken-4e', 'secret of a wrong type': 'canary-Wrong-Type-aa' };
    Object.assign(canaries, secrets);
    const { email } = controlPlane.credentials;
    const again = { headers: { 'idempotency-key': canaries['Idempotency-Key'] } };
    const failing = [
        ['POST', '/v1/auth/login', { body: { email, password: secrets['wrong password'] } }, 401],
        ['POST', '/v1/auth/login', { body: { email, password: { text: secrets['secret of a wrong type'] } } }, 400],
        ['POST', '/v1/auth/login', { body: `{"password":"${secrets['secret in broken JSON']}`, headers: { 'content-type': 'application/json' } }, 400],
        ['POST', '/v1/auth/refresh', { body: { refreshToken: person.refreshToken.slice(0, -1) } }, 401],
        ['GET', '/v1/auth/me', { headers: { authorization: `Bearer ${secrets['token of nobody']}` } }, 401],
        ['GET', '/v1/auth/me', { headers: { 'x-api-key': secrets['token of nobody'] } }, 401],
        ['GET', '/v1/auth/me', { headers: { authorization: `Basic ${Buffer.from(`a:${secrets['token of nobody']}`).toString('base64')}` } }, 401],
        ['GET', `/v1/vms?access_token=${secrets['secret in a query']}`, { as: owner }, 400],
        ['GET', `/v1/nothing?token=${canaries['API key']}`, { as: made.json.key }, 404],
        ['POST', '/v1/auth/keys', { as: owner, body: { name: 'other' }, ...again }, 422],
        ['POST', '/v1/agents/enroll', { body: { token: token.slice(0, -1), name: 'x', publicKey: 'A'.repeat(43), bootId: '', agentVersion: '1', platform: 'linux' } }, undefined],
        ['POST', '/v1/auth/token', { body: `client_assertion=${secrets['token of nobody']}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, undefined],
    ];
    for (const [method, path, options, status] of failing) {
        const answer = keepAnswer(await controlPlane.call(method, path, options));
        assert.ok(status ? answer.status === status : answer.status >= 400, `${method} ${path}: ${answer.status} ${answer.text}`);
    }
    keep('answers', await rawRequest(controlPlane.port, `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secrets['token of nobody']}\r\nBroken header\r\n\r\n`));
    for (const path of [`/v1/vms/${agent.vm.id}`, '/v1/auth/keys', '/v1/agents/enrollment-tokens', '/v1/agents', '/v1/auth/me', '/readyz', `/v1/nothing/${known}`])
        keepAnswer(await controlPlane.get(path, { as: owner }));
    keepAnswer(await controlPlane.get(`/v1/vms?name=${known}`, { as: owner }));
    await controlPlane.post('/v1/auth/logout', { refreshToken: person.refreshToken }, { as: person });
});

test('canaries in files: keys, backups and their passphrase, databases that do not answer', async () => {
    plantPem('agent key', join(agent.dataDir, 'agent.key'));
    for (const name of readdirSync(join(controlPlane.dataDir, 'keys'))) {
        const file = join(controlPlane.dataDir, 'keys', name);
        if (/PRIVATE KEY/.test(readFileSync(file, 'latin1'))) plantPem(name, file);
        else canaries[name] = readFileSync(file).subarray(-32);
    }
    plantPem('TLS key', join(controlPlane.dataDir, 'tls', 'server.pem'));
    assert.ok(canaries['root.key'], Object.keys(canaries).join());

    const folder = temporaryFolder();
    const passphrase = join(folder, 'passphrase');
    canaries['passphrase'] = 'canary of a Passphrase 5b';
    writeFileSync(passphrase, `${canaries.passphrase}\n`, { mode: 0o600 });
    const flags = controlPlane.flags.filter((word, index, all) => !/^--listen/.test(word) && !/^--listen/.test(all[index - 1] ?? ''));
    const backup = join(temporaryFolder(), 'x.backup');
    keepOutput('output of commands', await controlPlane.run(['backup', ...flags, '--to', backup, '--passphrase-file', passphrase]));
    assert.ok(existsSync(backup), places['output of commands'].toString());
    keep('backup', readFileSync(backup));
    const other = join(folder, 'other');
    canaries['wrong passphrase'] = 'canary of no Passphrase c0';
    writeFileSync(other, `${canaries['wrong passphrase']}\n`, { mode: 0o600 });
    keepOutput('output of commands', await controlPlane.run(['backup', '--verify', backup, '--passphrase-file', other]));
    canaries['database password'] = 'canary-Database-e1';
    const url = `postgresql://somebody:${canaries['database password']}@127.0.0.1:9/db`;
    for (const words of [['serve', '--print-config'], ['serve'], ['init', '--email', 'a@example.com']]) {
        const done = await controlPlane.run([...words, '--config', controlPlane.configFile, '--data-dir', join(folder, 'none'), '--log-level', 'debug', '--database-url', url]);
        keepOutput('output of commands', done);
    }
    keepOutput('output of commands', await controlPlane.run(['keys', ...flags]));
});

test('the agent\'s commands and the places of both programs are collected', async () => {
    const agentCommand = (words) => run(program('synapsex-agent'), [...words, ...agent.flags], { env: agent.env });
    await eventually('a sample is spooled or was sent', async () => (await agent.status()).worker?.connected, { within: 30_000 });
    for (const words of [['status'], ['status', '--json'], ['test-connection'], ['test-connection', '--json'], ['--print-config']])
        keepOutput('agent commands', await agentCommand(words));
    const away = await run(program('synapsex-agent'), ['test-connection', '--url', 'https://cp.example.com', ...agent.flags.slice(2)], { env: agent.env });
    assert.equal(away.code, 1, away.stdout);
    assert.match(away.stdout, /127\.0\.0\.1|connect/);
    keepOutput('agent commands', away);
    // Names of files are in the bundle; somebody has let a program write down what it was given.
    for (const name of ['proxy password', 'proxy password of agent.env', 'other secret of agent.env']) writeFileSync(join(agent.dataDir, `core of ${canaries[name]}`), '');
    const file = join(agent.folder, 'bundle.tar.gz');
    keepOutput('agent commands', await agentCommand(['diag', '--output', file]));
    keep('bundle', execFileSync('tar', ['-xzOf', file]));
    keep('worker state', readFileSync(join(agent.runDir, 'worker-state.json')));
    for (const name of readdirSync(agent.dataDir).filter((each) => each !== 'agent.key')) keep(`agent's ${name.replace(/-(wal|shm)$/, '')}`, readFileSync(join(agent.dataDir, name)));
    keep('metrics', (await controlPlane.get('/metrics')).text);

    const pids = { 'control plane': controlPlane.process.pid, worker: agent.pidOf('worker'), executor: agent.pidOf('executor') };
    for (const [name, pid] of Object.entries(pids)) {
        const given = [`https_proxy=${proxy}`, `HTTPS_PROXY=${proxyInFile}`, `MY_API_KEY=${canaries['other secret of agent.env']}`];
        const all = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (name === 'worker') assert.deepEqual(given.filter((each) => !all.includes(each)), [], 'it has what it was given, by agent.env too');
        const environment = all.filter((each) => !given.includes(each));
        keep(`process of the ${name}`, `${readFileSync(`/proc/${pid}/cmdline`)}${readFileSync(`/proc/${pid}/status`)}${environment.join('\n')}`);
        assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0 /, `the ${name} leaves no core dump`);
    }
    await agent.stop();
    await controlPlane.stop();
    keep('log of the agent', agent.process.stdout + agent.process.stderr);
    keep('log of the control plane', controlPlane.log + controlPlane.process.stdout);
    keep('database', controlPlane.database.bytes());
});

test('no canary is in any of them', () => {
    assert.ok(Object.keys(canaries).length >= 20, 'planted');
    for (const [name, secret] of Object.entries(canaries)) assert.ok(secret.length >= 16, `${name} is long enough to be told from chance`);
    assert.deepEqual(found(places, canaries), []);
});

test('and the search has seen what lies in them', () => {
    const seen = found(places, { known });
    const expected = ['answers', 'agent commands', 'bundle', "agent's pause", 'process of the worker', 'log of the control plane', 'database'];
    for (const place of expected) assert.ok(seen.includes(`${place}: known`), `${place}; seen: ${seen.join()}`);
    // No word of ours gets into these: that they are what they should be.
    assert.ok(places["agent's spool.db"].includes('SQLite format 3'));
    assert.ok(places.metrics.includes('synapsex_http_requests_total'));
    assert.ok(places['worker state'].includes('"connected"'));
    assert.ok(places["agent's identity.json"].includes(agent.vm.agentId));
    assert.ok(places['log of the agent'].includes('agent started'));
    assert.ok(places['log of the control plane'].includes('"level":"debug"') || places['log of the control plane'].length > 1000);
    assert.ok(places['output of commands'].includes('127.0.0.1'));
    assert.ok(places['process of the control plane'].includes('serve') && places['process of the executor'].length > 100);
    // And a canary that is where it belongs would be found there.
    assert.ok(found({ file: readFileSync(join(agent.dataDir, 'agent.key')) }, canaries).length >= 1);
});
