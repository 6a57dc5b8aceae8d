// What keeps the control plane from starting is told in one clear sentence, with an exit code.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { freePort, isRoot, temporaryFolder } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

// The program ends with this code and says exactly one line that matches.
async function refuses(parameters, pattern, { code = 1, env = {} } = {}) {
    const done = await controlPlane.run(parameters, { env });
    assert.equal(done.code, code, `${done.stdout}\n${done.stderr}`);
    const said = done.stderr.split('\n').filter((line) => line && !line.startsWith('{'));
    assert.equal(said.length, 1, `one sentence, not:\n${done.stderr}`);
    assert.match(said[0], /^synapsex-controlplane: /);
    assert.match(said[0], pattern);
    return said[0];
}

const serve = (folder, ...more) => [
    'serve', '--config', controlPlane.configFile, '--data-dir', folder, ...more,
];

test('not initialised: it says what to run', async () => {
    await refuses(serve(join(temporaryFolder(), 'nothing'), '--listen', `127.0.0.1:${await freePort()}`), /run synapsex-controlplane init first/);
});

test('a second control plane on the same SQLite file names the first', async () => {
    const sentence = await refuses(serve(controlPlane.dataDir, '--listen', `127.0.0.1:${await freePort()}`), /is in use by/);
    assert.ok(sentence.includes(`process ${controlPlane.process.pid}`), sentence);
    assert.equal((await controlPlane.get('/readyz')).status, 200, 'the first goes on');
});

test('a link to the file does not hide that it is in use', async () => {
    const link = join(temporaryFolder(), 'linked.db');
    symlinkSync(join(controlPlane.dataDir, 'controlplane.db'), link);
    await refuses(serve(controlPlane.dataDir, '--listen', `127.0.0.1:${await freePort()}`, '--database-url', `sqlite://${link}`), /is in use by/);
});

test('init beside a running control plane is refused too', async () => {
    await refuses(['init', ...controlPlane.flags, '--email', 'x@example.com'], /is in use by/);
});

test('a port in use names the address and the way out', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: controlPlane.port });
    await other.init();
    const sentence = await refuses(['serve', ...other.flags], /cannot listen on 127\.0\.0\.1:\d+: .*--listen/);
    assert.ok(sentence.includes(String(controlPlane.port)));
    // The same when somebody else's program has it.
    const server = createServer();
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    other.port = server.address().port;
    await refuses(['serve', ...other.flags], /cannot listen on/);
    server.close();
});

test('a schema from which a newer release took something away is refused, and left alone', async () => {
    const old = await ControlPlane.start();
    await old.stop();
    const database = join(old.dataDir, 'controlplane.db');
    const sql = (text) => execFileSync('sqlite3', [database, text], { encoding: 'utf8' }).trim();
    const count = sql("SELECT count(*) FROM schema_migrations WHERE service = 'tenant-service'");
    sql(`INSERT INTO schema_migrations (service, number, name, sha256, applied_at)
         VALUES ('tenant-service', ${Number(count) + 1}, '0099_contract_future', 'x', 0)`);
    await refuses(['serve', ...old.flags], /newer release.*0099_contract_future/);
    sql("DELETE FROM schema_migrations WHERE name = '0099_contract_future'");
    sql("UPDATE schema_migrations SET sha256 = 'edited' WHERE service = 'tenant-service' AND number = 1");
    await refuses(['serve', ...old.flags], /was edited after it was applied/);
});

test('a file that is no database is told so', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    await other.init();
    writeFileSync(join(other.dataDir, 'controlplane.db'), 'this is no database, it is a letter\n'.repeat(100));
    await refuses(['serve', ...other.flags], /not a database/i);
});

test('a key that is not its owner\'s alone, or not whole, is told what to do with it', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    await other.init();
    for (const name of ['access-tokens.pem', 'root.key']) {
        const key = join(other.dataDir, 'keys', name);
        const refused = async (pattern) => {
            for (const command of [['serve'], ['serve', '--migrate-only'], ['keys'], ['init', '--email', 'x@example.com']]) {
                const sentence = await refuses([...command, ...other.flags], pattern);
                assert.ok(sentence.includes(`${key}: `), sentence);
            }
        };
        const whole = readFileSync(key);
        chmodSync(key, 0o644);
        await refused(/others than the owner may read it; chmod 600 it$/);
        chmodSync(key, 0o600);
        if (isRoot) {
            chownSync(key, 65534, 0);
            await refused(/it belongs to user 65534; chown it to user 0, who reads it$/);
            chownSync(key, 0, 0);
        }
        renameSync(key, join(other.folder, name));
        symlinkSync(join(other.folder, name), key);
        await refused(/it is a symbolic link; put the file itself there$/);
        rmSync(key);
        renameSync(join(other.folder, name), key);
        truncateSync(key, 31);
        await refused(/(it holds no Ed25519 private key in PEM|it has 31 bytes, and a root key has 32); restore it$/);
        writeFileSync(key, whole);
        assert.equal(statSync(key).mode & 0o777, 0o600);
    }
    await other.serve();  // all mended
    await other.stop();
});

test('a data directory without a root key is told to restore it or to run init, which makes it', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    await other.init();
    const root = join(other.dataDir, 'keys', 'root.key');
    rmSync(root);
    await refuses(['serve', ...other.flags], /root\.key: it is not there; restore the root key from the backup, or, if .* run synapsex-controlplane init again/);
    assert.ok(!existsSync(root), 'only init makes keys');
    const tokenKey = readFileSync(join(other.dataDir, 'keys', 'access-tokens.pem'), 'utf8');
    const done = await other.run(['init', ...other.flags, '--email', 'x@example.com']);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /Initialised before: .*keys were missing/);
    assert.equal(statSync(root).size, 32);
    assert.equal(readFileSync(join(other.dataDir, 'keys', 'access-tokens.pem'), 'utf8'), tokenKey);
    await other.serve();
    await other.signIn(other.credentials);
    await other.stop();
});

test('a data directory that cannot be written is told so', { skip: isRoot && 'root may write everywhere' }, async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    await refuses(['init', '--config', controlPlane.configFile, '--data-dir', join(folder, 'x'), '--email', 'x@example.com'], /cannot make .*--data-dir/);
});

test('bad settings are told all at once, each with its place', async () => {
    const sentence = await refuses(
        serve(controlPlane.dataDir, '--listen', 'nonsense', '--log-level', 'loud'),
        /--listen: "nonsense" is no address:port/, { env: { SYNAPSEX_IO_THREADS: '0' } },
    );
    assert.match(sentence, /--log-level: "loud" is none of debug, info, warning, error/);
    assert.match(sentence, /SYNAPSEX_IO_THREADS: "0" is no whole number from 1 to 64/);
    await refuses(serve(controlPlane.dataDir, '--listen', '0.0.0.0:8080'), /plain HTTP is for 127\.0\.0\.1 and \[::1\] only/);
    await refuses(serve(controlPlane.dataDir, '--listen', '127.0.0.1:99999'), /is no address:port/);
});

test('a bad file is told with its line', async () => {
    const file = join(temporaryFolder(), 'bad.toml');
    const config = ['serve', '--config', file, '--data-dir', controlPlane.dataDir];
    writeFileSync(file, 'colour = "red"\n');
    await refuses(config, /bad\.toml: there is no setting colour/);
    writeFileSync(file, 'listen = \n');
    await refuses(config, /bad\.toml: .*line 1/);
    await refuses(['serve', '--config', `${file}.missing`], /bad\.toml\.missing/);
});

test('a database that this release cannot open is told so', async () => {
    await refuses(
        serve(controlPlane.dataDir, '--listen', `127.0.0.1:${await freePort()}`, '--database-url', 'mysql://u:hunter2@host/db'),
        /database/i,
    ).then((sentence) => assert.ok(!sentence.includes('hunter2'), 'the password is masked'));
});

test('init leaves no owner whose password nobody knows', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    const init = ['init', ...other.flags, '--email', 'owner@example.com'];
    await refuses([...init, '--credentials-file', join(other.folder, 'no such folder', 'owner.json')], /cannot write .*owner\.json: No such file/);
    await refuses([...init, '--credentials-file', other.folder], /cannot write .*: Is a directory/);
    await other.init();  // as if nothing had happened
    assert.match(other.initOutput, /password/);
    await other.serve();
    await other.signIn(other.credentials);
    await other.stop();
});

test('an e-mail that init refuses leaves no credentials either', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    const file = join(other.folder, 'owner.json');
    await refuses(['init', ...other.flags, '--email', 'nobody', '--credentials-file', file], /e-mail/);
    assert.ok(!existsSync(file));
});

test('an init that refuses fixes no issuer, and the next one may choose another', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    const issuer = join(other.dataDir, 'issuer');
    const init = ['init', ...other.flags];
    for (const [wrong, pattern] of [
        [['--email', 'bad'], /e-mail/],
        [['--email', 'ok@example.com', '--tenant-name', '\u001b[31m'], /--tenant-name must be one line/],
        [['--email', 'ok@example.com', '--tenant-name', '  '], /--tenant-name must be one line/],
        [['--email', 'ok@example.com', '--full-name', 'A\nB'], /--full-name must be one line/],
        [['--email', 'ok@example.com', '--database-url', 'mysql://u@host/db'], /database/],
    ]) {
        await refuses([...init, ...wrong], pattern);
        assert.ok(!existsSync(issuer), `${wrong}`);
    }
    const done = await other.run([...init, '--email', 'ok@example.com', '--public-url', 'https://synapsex.example.com']);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(!done.stderr.includes('issuer'), done.stderr);
    assert.equal(readFileSync(issuer, 'utf8').trim(), 'https://synapsex.example.com');
});

test('another public URL than the issuer is told by init and serve, and changes nothing', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    await other.init();
    other.settings = ['--public-url', 'https://synapsex.example.com'];
    const again = await other.run(['init', ...other.flags, '--email', 'ok@example.com']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, new RegExp(`The issuer stays ${other.url}: .*https://synapsex\\.example\\.com`));
    await other.serve();
    assert.ok(other.logLines.some((line) => line.level === 'warning' && line.message.startsWith(`The issuer stays ${other.url}`)));
    await other.stop();
    assert.equal(readFileSync(join(other.dataDir, 'issuer'), 'utf8').trim(), other.url);
});

test('services whose URLs spell one file differently share it', async () => {
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    other.settings = ['--auth-database-url', `sqlite://${other.dataDir.replaceAll('/', '//')}//controlplane.db`];
    await other.init();
    await other.serve();
    await other.signIn(other.credentials);
    await other.stop();
});

test('the loopback of IPv6 is served too', async (t) => {
    const port = await freePort();
    const probe = createServer();
    const isThere = await new Promise((done) => { probe.once('error', () => done(false)).listen(0, '::1', () => done(true)); });
    probe.close();
    if (!isThere) return t.skip('no IPv6 here');
    const other = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port });
    other.url = `http://[::1]:${port}`;
    const flags = ['--config', other.configFile, '--data-dir', other.dataDir, '--listen', `[::1]:${port}`];
    Object.defineProperty(other, 'flags', { value: flags });
    await other.init();
    await other.serve();
    await other.signIn(other.credentials);
    assert.ok(JSON.stringify((await other.get('/v1/openapi.json')).json.servers).includes(other.url));
    await other.stop();
});

test('the limit of open files follows connections-max', async () => {
    const limits = (pid) => /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')).slice(1).map(Number);
    const other = await ControlPlane.start({ settings: ['--connections-max', '3000'] });
    const [soft, hard] = limits(other.process.pid);
    if (hard >= 3256) assert.ok(soft >= 3256, `${soft}`);
    await other.stop();
});

test('the command line explains itself', async () => {
    for (const parameters of [[], ['dance'], ['serve', '--colour', 'red'], ['init']]) {
        const done = await controlPlane.run(parameters);
        assert.equal(done.code, 2, `${parameters}: ${done.stderr}`);
    }
    const help = await controlPlane.run(['serve', '--help']);
    assert.equal(help.code, 0);
    for (const word of ['--listen', 'SYNAPSEX_LISTEN', '--data-dir', 'DATABASE_URL']) assert.ok(help.stdout.includes(word), word);
    assert.match((await controlPlane.run(['--version'])).stdout, /^\d+\.\d+\.\d+/);
});

test('--print-config says where each value comes from and masks secrets', async () => {
    const file = join(temporaryFolder(), 'some.toml');
    writeFileSync(file, 'log_level = "debug"\n');
    const done = await controlPlane.run(['serve', '--print-config', '--config', file, '--worker-threads', '8'], {
        env: { AUTH_DATABASE_URL: 'postgresql://auth:hunter2@db.example.com/auth', SYNAPSEX_IO_THREADS: '2' },
    });
    assert.equal(done.code, 0, done.stderr);
    assert.ok(!done.stdout.includes('hunter2'));
    assert.match(done.stdout, /^auth_database_url = "postgresql:\/\/auth:\*\*\*@db\.example\.com\/auth" +# AUTH_DATABASE_URL$/m);
    assert.match(done.stdout, /^worker_threads = "8" +# --worker-threads$/m);
    assert.match(done.stdout, /^io_threads = "2" +# SYNAPSEX_IO_THREADS$/m);
    assert.match(done.stdout, new RegExp(`^log_level = "debug" +# ${file.replaceAll('.', '\\.')}$`, 'm'));
    assert.match(done.stdout, /^connections_max = "10000" +# default$/m);
});
