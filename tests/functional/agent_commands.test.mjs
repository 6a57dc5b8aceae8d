// What a local administrator asks of the agent on a VM: pause and resume, a test of the connection,
// a bundle for support.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { Cli } from '../support/command_line.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually, freePort, isRoot, program, run, temporaryFolder, throughout } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

function command(agent, words, options = {}) {
    return run(program('synapsex-agent'), [...words, ...agent.flags], { env: agent.env, ...options });
}
const stepsOf = (done) => Object.fromEntries(JSON.parse(done.stdout).steps.map((step) => [step.step, step]));
const agentOf = (agent) => controlPlane.must('GET', `/v1/agents/${agent.vm.agentId}`);
const capabilitiesOf = async (agent) => (await agentOf(agent)).capabilities;

test('a pause is shown here and there, outlasts the agent and a control plane, and only a resume here ends it', async () => {
    const agent = await Agent.start(controlPlane, { name: 'resting' });
    assert.equal((await agent.status()).paused, null);
    const done = await command(agent, ['pause', '--reason', 'disk swap', '--json']);
    assert.equal(done.code, 0, done.stderr);
    const { paused } = JSON.parse(done.stdout);
    assert.equal(paused.reason, 'disk swap');
    assert.equal(paused.until, null);
    assert.deepEqual((await agent.status()).paused, paused);
    assert.equal(statSync(join(agent.dataDir, 'pause')).mode & 0o777, 0o600);

    // The heartbeat that is held may take its time.
    await agent.stop();
    agent.supervise();
    const told = await eventually('the control plane knows', async () => (await agentOf(agent)).pause, { within: 60_000, every: 300 });
    assert.equal(told.reason, 'disk swap');
    assert.equal(told.until, null);
    assert.equal(Date.parse(told.since), Date.parse(paused.since));
    const cli = new Cli(controlPlane);
    assert.equal((await cli.login(controlPlane.credentials)).code, 0);
    for (const words of [['agents', 'list'], ['agents', 'get', 'resting'], ['vms', 'get', 'resting']])
        assert.match((await cli.run(words)).stdout, /until somebody there resumes it: disk swap\n/, words.join(' '));
    await controlPlane.restart();
    assert.equal((await agentOf(agent)).pause.reason, 'disk swap', 'also after a restart of the control plane');
    assert.deepEqual((await agent.status()).paused, paused, 'a restart does not end it');
    await eventually('paused is not dead', async () => (await agent.find()).state === 'online', { within: 60_000, every: 300 });
    const { sequence } = (await agent.status()).worker;
    await eventually('telemetry goes on', async () => {
        const page = await controlPlane.must('GET', `/v1/vms/${agent.vm.id}/telemetry?limit=1`);
        return page.items.length > 0 && (await agent.status()).worker.sequence >= sequence;
    }, { within: 60_000, every: 500 });

    assert.equal((await command(agent, ['resume'])).code, 0);
    assert.equal((await agent.status()).paused, null);
    assert.equal((await command(agent, ['resume'])).code, 0, 'again');
    await agent.stop();
    agent.supervise();
    await eventually('the control plane knows that, too', async () => !(await capabilitiesOf(agent)).includes(6), { within: 60_000, every: 300 });
    assert.equal((await agentOf(agent)).pause, null);
    await agent.stop();
});

test('a pause needs no running agent, ends by itself, and is refused with one sentence', async () => {
    const agent = new Agent(controlPlane, { name: 'off' });
    const nowhere = await command(agent, ['pause']);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /There is no data directory/);
    mkdirSync(agent.dataDir, { mode: 0o700 });
    assert.equal((await command(agent, ['pause', '--for', '2s'])).code, 0);
    const status = await agent.status();
    assert.equal(status.code, 3, 'it does not run, and says so');
    assert.ok(status.paused.until);
    await eventually('it is over', async () => (await agent.status()).paused === null, { within: 10_000 });
    for (const words of [['--for', 'soon'], ['--for', '0s'], ['--for', '9999d'], ['--reason', 'two\nlines'], ['--reason', 'x'.repeat(201)]]) {
        const refused = await command(agent, ['pause', ...words]);
        assert.equal(refused.code, 1, words.join(' '));
        assert.equal(refused.stderr.trim().split('\n').length, 1, refused.stderr);
    }
    assert.equal((await agent.status()).paused, null);
    writeFileSync(join(agent.dataDir, 'pause'), 'half a li');
    const { reason, since } = (await agent.status()).paused;
    assert.match(reason, /damaged/);
    assert.equal(since, null);
    assert.equal((await command(agent, ['resume'])).code, 0);
    assert.equal((await agent.status()).paused, null);
});

test('neither pause nor resume is for everybody', { skip: !isRoot && 'needs root' }, async () => {
    const agent = new Agent(controlPlane, { name: 'guarded' });
    mkdirSync(agent.dataDir, { mode: 0o700 });
    chmodSync(agent.folder, 0o755);
    await command(agent, ['pause']);
    for (const verb of ['pause', 'resume', 'status', 'test-connection']) {
        const words = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--', program('synapsex-agent'), verb, ...agent.flags];
        const done = await run('setpriv', words, { env: agent.env });
        assert.equal(done.code, 1, done.stdout);
        assert.match(done.stdout + done.stderr, /Only root and the agent's user, root, may .*; this is nobody\./);
    }
    assert.ok((await agent.status()).paused, 'it is as it was');
});

test('a connection that is fine: every step says so, and the agent that runs is not disturbed', async () => {
    const agent = await Agent.start(controlPlane, { name: 'well' });
    const before = await agent.status();
    const done = await command(agent, ['test-connection', '--json']);
    assert.equal(done.code, 0, done.stdout);
    assert.deepEqual(Object.values(stepsOf(done)).map((step) => [step.step, step.result]), [
        ['settings', 'ok'], ['name', 'ok'], ['connect', 'ok'], ['api', 'ok'], ['clock', 'ok'], ['authentication', 'ok'],
    ]);
    await throughout(2000, async () => assert.ok((await agent.status()).worker.connected));
    assert.equal((await agent.status()).identity.agentId, before.identity.agentId);
    assert.match((await command(agent, ['test-connection'])).stdout, /^ok +authentication +\d+ ms +as agent agt_/m);
    await agent.stop();
});

test('before enrollment it tests the way, and leaves the token as it is', async () => {
    const agent = new Agent(controlPlane, { name: 'to be' });
    agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
    const token = readFileSync(agent.tokenFile, 'utf8');
    const done = await command(agent, ['test-connection', '--json']);
    assert.equal(done.code, 0, done.stdout);
    const { authentication } = stepsOf(done);
    assert.equal(authentication.result, 'skipped');
    assert.match(authentication.detail, /not enrolled; a whole enrollment token is there/);
    assert.equal(readFileSync(agent.tokenFile, 'utf8'), token);
    assert.ok(!(done.stdout + done.stderr).includes(token.split('.')[1]), 'and does not show it');
    agent.supervise();
    agent.vm = await agent.online();
    await agent.stop();
});

test('what fails is named, with what to do', async () => {
    const agent = new Agent(controlPlane, { name: 'lost' });
    const at = async (url, ...more) => {
        const start = Date.now();
        const done = await command(agent, ['test-connection', '--json', '--url', url, ...more]);
        assert.ok(Date.now() - start < 30_000, 'in time');
        assert.equal(done.code, 1, done.stdout);
        const failed = Object.values(stepsOf(done)).filter((step) => step.result === 'failed');
        assert.equal(failed.length, 1, done.stdout);
        assert.ok(failed[0].advice, done.stdout);
        return failed[0];
    };
    agent.flags = agent.flags.slice(2);  // no --url of its own
    assert.equal((await at('https://no-such-host.invalid')).step, 'name');
    assert.equal((await at(`https://127.0.0.1:${await freePort()}`)).step, 'connect');
    assert.equal((await at(`https://127.0.0.1:${controlPlane.port}`)).step, 'tls', 'clear HTTP there');
    assert.equal((await at(`${controlPlane.url}/elsewhere`)).step, 'api');
    const insecure = await command(agent, ['test-connection', '--url', 'http://cp.example.com']);
    assert.equal(insecure.code, 78, 'settings that no command takes');
    assert.match(insecure.stderr, /use https:/);
    const sockets = new Set();
    const silent = createServer((socket) => { sockets.add(socket.unref()); socket.on('error', () => {}); }).unref();
    await new Promise((done) => { silent.listen(0, '127.0.0.1', done); });
    const hung = await at(`https://127.0.0.1:${silent.address().port}`);
    assert.equal(hung.step, 'tls');
    assert.match(hung.detail, /net\.timeout/);
    for (const socket of sockets) socket.destroy();
    silent.close();
});

test('it ends within 30 s also where each request hangs in its turn', async () => {
    const agent = await Agent.start(controlPlane, { name: 'patient' });
    await agent.stop();
    const healthy = createHttpServer((request, answer) => { if (request.url === '/healthz') answer.end('ok'); }).unref();
    await new Promise((done) => { healthy.listen(0, '127.0.0.1', done); });
    const start = Date.now();
    const done = await command({ ...agent, flags: ['--url', `http://127.0.0.1:${healthy.address().port}`, ...agent.flags.slice(2)] }, ['test-connection', '--json']);
    assert.ok(Date.now() - start < 30_000, `${Date.now() - start} ms`);
    assert.equal(done.code, 1, done.stdout);
    assert.equal(stepsOf(done).api.result, 'ok');
    assert.match(stepsOf(done).authentication.detail, /net\.timeout/);
    healthy.closeAllConnections();
    healthy.close();
});

test('over TLS it shows the certificate and whether the pin is right', async () => {
    const port = await freePort();
    const secure = await ControlPlane.start({ settings: ['--listen-tls', `127.0.0.1:${port}`, '--public-url', `https://localhost:${port}`] });
    const url = `https://localhost:${port}`;
    const agent = new Agent(secure, { name: 'pinned', url });
    agent.giveToken((await secure.enrollmentToken({ name: agent.name })).token);
    const fine = await command(agent, ['test-connection', '--json']);
    assert.equal(fine.code, 0, fine.stdout);
    const steps = stepsOf(fine);
    assert.match(steps.settings.detail, /pinned by the enrollment token/);
    assert.match(steps.tls.detail, /^TLSv1\.3, \S+; certificate for .*localhost.* until 20/);
    assert.ok(JSON.parse(fine.stdout).certificates.some(({ authority, pin }) => authority && pin.length === 43));
    const pin = 'A'.repeat(43);
    const wrong = await command(agent, ['test-connection', '--json', '--authority-pin', pin]);
    assert.equal(wrong.code, 1);
    assert.match(stepsOf(wrong).tls.detail, new RegExp(`net\\.tls_authority: .*${pin}.*it shows`));
    assert.match(stepsOf(wrong).tls.advice, /authority_pin/);
    const name = await command({ ...agent, flags: ['--url', `https://127.0.0.2:${port}`, ...agent.flags.slice(2)] }, ['test-connection', '--json']);
    assert.ok(['connect', 'tls'].includes(Object.values(stepsOf(name)).find(({ result }) => result === 'failed').step), name.stdout);

    // Certificates are held to what the agent holds them to.
    mkdirSync(agent.dataDir, { mode: 0o700 });
    const floor = (time) => writeFileSync(join(agent.dataDir, 'time.floor'), `${time}\n`, { mode: 0o600 });
    floor(new Date(Date.now() + 3600_000).toISOString());
    const later = await command(agent, ['test-connection', '--json']);
    assert.equal(later.code, 0, later.stdout);
    assert.match(stepsOf(later).clock.detail, /^as the server's; certificates are held to 20\d\d-\S+, which \S.*\/time\.floor has from before$/);
    floor('2099-01-01T00:00:00Z');
    const ended = await command(agent, ['test-connection', '--json']);
    assert.equal(ended.code, 1, ended.stdout);
    assert.match(stepsOf(ended).tls.detail, /net\.tls_expired/);
    assert.match(stepsOf(ended).tls.advice, /held to 2099-\S+, which \S.*\/time\.floor has .*delete that file/);
    await secure.stop();
});

test('a proxy is named without its password', async () => {
    const agent = new Agent(controlPlane, { name: 'behind', url: 'https://cp.example.com:8443', settings: ['--proxy', 'environment'] });
    const refusing = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'));
    }).unref();
    await new Promise((done) => { refusing.listen(0, '127.0.0.1', done); });
    const proxy = `http://jane:canary-of-the-proxy@127.0.0.1:${refusing.address().port}`;
    const done = await command(agent, ['test-connection', '--json'], { env: { ...agent.env, https_proxy: proxy } });
    const { proxy: step } = stepsOf(done);
    assert.equal(step.result, 'failed', done.stdout);
    assert.match(step.detail, /127\.0\.0\.1:\d+ answered 407/);
    assert.ok(!(done.stdout + done.stderr).includes('canary-of-the-proxy'));

    // What the unit gives the service counts, not the shell that somebody types in.
    const service = new Agent(controlPlane, { name: 'of the unit', url: 'https://cp.example.com:8443' });
    writeFileSync(join(service.folder, 'agent.env'), `# the proxy\nSYNAPSEX_AGENT_PROXY=environment\nhttps_proxy="${proxy}"\n`, { mode: 0o600 });
    const env = { ...service.env, https_proxy: 'http://127.0.0.1:9', SYNAPSEX_AGENT_PROXY: 'never' };
    const beside = await command(service, ['test-connection', '--json'], { env });
    assert.match(stepsOf(beside).proxy?.detail ?? beside.stdout, new RegExp(`127\\.0\\.0\\.1:${refusing.address().port} answered 407`));
    assert.ok(!(beside.stdout + beside.stderr).includes('canary-of-the-proxy'));
    writeFileSync(join(service.folder, 'agent.env'), 'x'.repeat(70_000));
    const unknown = await command(service, ['test-connection', '--json'], { env });
    assert.match(unknown.stderr, /agent\.env.*What the service's variables are is not known here\./);
    refusing.close();
});

test('a bundle for support: what is in it is listed, and its file is the caller\'s alone', async () => {
    const agent = await Agent.start(controlPlane, { name: 'ill' });
    const folder = temporaryFolder();
    const done = await command(agent, ['diag', '--json'], { cwd: folder });
    assert.equal(done.code, 0, done.stderr);
    const report = JSON.parse(done.stdout);
    assert.match(report.file, /^synapsex-agent-diag-\d{8}T\d{6}Z\.tar\.gz$/);
    const file = join(folder, report.file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const list = await run('tar', ['-tzf', file]);
    assert.equal(list.code, 0, list.stderr);
    assert.deepEqual(list.stdout.trim().split('\n').map((name) => name.split('/')[1]), report.parts.map(({ name }) => name));
    const into = temporaryFolder();
    assert.equal((await run('tar', ['-xzf', file, '-C', into, '--strip-components=1'])).code, 0);
    const read = (name) => readFileSync(join(into, name), 'utf8');
    assert.ok(JSON.parse(read('about.json')).space.length === 3);
    assert.equal(JSON.parse(read('status.json')).identity.agentId, agent.vm.agentId);
    assert.equal(JSON.parse(read('connection.json')).ok, true);
    assert.ok(JSON.parse(read('files.json')).dataDir.some(({ name, mode }) => name === 'agent.key' && mode === '100600'));
    assert.match(read('settings.toml'), /^url = "http:.*# flag$/m);
    const key = readFileSync(join(agent.dataDir, 'agent.key'), 'utf8').split('\n')[1];
    for (const name of readdirSync(into)) assert.ok(!read(name).includes(key), name);

    const again = await command(agent, ['diag', '--output', file]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /exists; it is not written over/);
    await agent.stop();
});

test('a bundle goes through no link and to no place where it could be replaced', async () => {
    const agent = new Agent(controlPlane, { name: 'nowhere' });
    const folder = temporaryFolder();
    symlinkSync(join(folder, 'victim'), join(folder, 'link.tar.gz'));
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    for (const [name, why] of [['link.tar.gz', /exists/], ['open/x.tar.gz', /no sticky bit/], ['none/x.tar.gz', /Cannot open/]]) {
        const done = await command(agent, ['diag', '--output', join(folder, name)]);
        assert.equal(done.code, 1, done.stdout);
        assert.match(done.stderr, why);
        assert.equal(done.stderr.trim().split('\n').length, 1, done.stderr);
    }
    assert.ok(!existsSync(join(folder, 'victim')));
    assert.deepEqual(readdirSync(join(folder, 'open')), []);
    // Of an agent that was never here there is still something to say.
    const file = join(folder, 'x.tar.gz');
    assert.equal((await command(agent, ['diag', '--output', file])).code, 0);
    rmSync(file);
});
