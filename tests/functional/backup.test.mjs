// Backups that somebody has restored: written while the server serves, read back after a disaster,
// with agents that have gone on meanwhile, and with kill -9 at any moment.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres, makeDatabase, nextMigration } from '../support/databases.mjs';
import { eventually, isRoot, Program, program, run, temporaryFolder, throughout } from '../support/processes.mjs';
import { mountTmpfs, whyNoSmallDisk } from '../support/small_disk.mjs';

const safe = temporaryFolder();  // what is not on the server's disk
const passphrase = join(safe, 'passphrase');
writeFileSync(passphrase, 'a passphrase of many words\n', { mode: 0o600 });
const folder = temporaryFolder();
const file = join(folder, 'main.backup');

let controlPlane;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start();
    agent = await Agent.start(controlPlane, { name: 'old-vm' });
});
after(async () => {
    await agent?.stop();
    if (controlPlane?.process.isRunning) await controlPlane.stop();
});

const isUrl = (_, index, flags) => flags[index] !== '--listen' && flags[index - 1] !== '--listen';
const flagsOf = (plane) => plane.flags.filter(isUrl);
const backup = (plane, parameters = [], to = file) => plane.run(['backup', ...flagsOf(plane), '--to', to, '--passphrase-file', passphrase, ...parameters]);
const verify = (from, parameters = []) => controlPlane.run(['backup', '--verify', from, '--passphrase-file', passphrase, ...parameters]);
const restore = (plane, from = file, parameters = []) => plane.run(['restore', from, ...flagsOf(plane), '--passphrase-file', passphrase, ...parameters], { within: 120_000 });
// On PostgreSQL the database is there still, on SQLite the whole data directory is another.
const replacing = isPostgres ? ['--replace'] : [];
function succeeded(done) {
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
}
function refused(done, sentence) {
    assert.equal(done.code, 1, done.stdout);
    assert.match(done.stderr, sentence);
}
const keysOf = async (plane) => succeeded(await plane.run(['keys', ...flagsOf(plane)]));
const incarnationOf = (plane) => plane.database.rows('SELECT incarnation FROM agent_registry_server')[0]?.incarnation;
const tokenOf = (plane) => Number(plane.database.rows("SELECT max(token) AS token FROM platform_leases")[0].token);

function loseDisk(plane) {
    if (!isPostgres) renameSync(plane.dataDir, `${plane.dataDir}.lost ${Date.now()}`);
    else rmSync(plane.dataDir, { recursive: true });
}

test('a backup is written while the server serves and is written to', async (t) => {
    let isOver = false;
    let made = 0;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (; !isOver; ++made) await controlPlane.must('POST', '/v1/tenants', { name: `Secret Street ${writer}.${made}` });
    });
    await eventually('writes go on', () => made > 5);
    const before = made;
    const result = JSON.parse(succeeded(await backup(controlPlane, ['--json'])));
    const during = made - before;
    isOver = true;
    await Promise.all(writers);
    t.diagnostic(`${result.bytes} bytes in ${result.seconds} s, ${during} writes meanwhile`);
    assert.ok(during > 0);
    assert.equal(result.bytes, statSync(file).size);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(result.keys.map(({ name }) => name), ['root', 'authority', 'access-tokens']);
    for (const { name, keyId } of result.keys) assert.match(await keysOf(controlPlane), new RegExp(`^${name}\\t.*${keyId}`, 'm'));
    assert.equal(result.databases.length, 1);
    assert.equal(result.databases[0].incarnation, incarnationOf(controlPlane));
    assert.match(succeeded(await verify(file)), /is whole/);
    // Nothing of it can be read, and nothing plain is left behind.
    const bytes = readFileSync(file);
    for (const text of ['Secret Street', 'SQLite format 3', 'PGDMP', 'owner@example.com', 'main'])
        assert.equal(bytes.includes(text), false, text);
    assert.deepEqual(readdirSync(folder), ['main.backup']);
    assert.deepEqual(readdirSync(controlPlane.dataDir).filter((name) => /backup|work/.test(name)), []);
});

test('agents go on with a server that came back from an older backup', async (t) => {
    const key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'leaked' });
    const unused = await controlPlane.enrollmentToken({ name: 'spare' });
    await eventually('the agent has told all of itself', async () => {
        const vm = await controlPlane.must('GET', `/v1/vms/${agent.vm.id}`);
        return vm.reported.sections.length === 7;
    });
    const older = join(folder, 'older.backup');
    succeeded(await backup(controlPlane, [], older));
    const incarnation = incarnationOf(controlPlane);
    const keys = await keysOf(controlPlane);

    // Life goes on: what is lost, and what was taken back.
    const lost = await controlPlane.must('POST', '/v1/tenants', { name: 'After the backup' });
    await controlPlane.must('DELETE', `/v1/auth/keys/${key.id}`);
    const newer = await Agent.start(controlPlane, { name: 'new-vm' });
    t.after(() => newer.stop());
    const { refreshToken } = await controlPlane.signIn(controlPlane.credentials);
    const sequence = (await agent.status()).worker.sequence;
    // Held by others meanwhile: tokens of leases have grown.
    await controlPlane.restart();
    const token = tokenOf(controlPlane);

    await controlPlane.killHard();
    loseDisk(controlPlane);
    const said = succeeded(await restore(controlPlane, older, replacing));
    assert.match(said, /WORK AGAIN/);
    assert.equal(incarnationOf(controlPlane), undefined, 'the next start makes another');
    assert.equal(await keysOf(controlPlane), keys);
    for (const name of readdirSync(join(controlPlane.dataDir, 'keys')))
        assert.equal(statSync(join(controlPlane.dataDir, 'keys', name)).mode & 0o777, 0o600);
    await controlPlane.serve();
    assert.notEqual(incarnationOf(controlPlane), incarnation);
    await eventually('leases are held anew', () => tokenOf(controlPlane) > token);

    // Sessions have ended; what was revoked after the backup works again, as was said.
    assertProblem(await controlPlane.post('/v1/auth/refresh', { refreshToken }), 401);
    assertProblem(await controlPlane.post('/v1/auth/refresh', { refreshToken: controlPlane.owner.refreshToken }), 401);
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
    assert.equal((await controlPlane.get('/v1/vms', { as: key.key })).status, 200);
    assertProblem(await controlPlane.get(`/v1/tenants/${lost.id}`, { as: controlPlane.owner, tenant: lost.id }), 404);

    // The agent of before: the same VM, further on, and all of its inventory.
    const vm = await agent.online();
    assert.equal(vm.id, agent.vm.id);
    await eventually('it has told all of itself again', async () => {
        const found = await controlPlane.must('GET', `/v1/vms/${agent.vm.id}`);
        return found.reported.sections.length === 7;
    });
    const page = await controlPlane.must('GET', '/v1/vms?name=old-vm');
    assert.equal(page.items.length, 1);
    assert.ok(agent.process.isRunning);
    await eventually('its numbers go on', async () => (await agent.status()).worker?.sequence > sequence);
    const again = incarnationOf(controlPlane);

    // The agent that the backup does not know says so, enrolls nowhere by itself, and is mended by
    // a new token and a restart.
    await eventually('it says what is wrong', async () => (await newer.status()).worker?.lastProblem === 'auth.unknown_key');
    assert.equal(await newer.find(), undefined);
    await newer.stop();
    newer.giveToken((await controlPlane.enrollmentToken({ name: 'new-vm' })).token);
    newer.supervise();
    await newer.online();
    assert.equal(existsSync(newer.tokenFile) && readFileSync(newer.tokenFile, 'utf8').trim() !== '', false, 'the token is used up and erased');

    // A start changes nothing more.
    await controlPlane.restart();
    assert.equal(incarnationOf(controlPlane), again);

    // The careful way ends every credential of the backup.
    await controlPlane.stop();
    assert.match(succeeded(await restore(controlPlane, older, ['--replace', '--revoke-credentials'])), /are revoked/);
    await controlPlane.serve();
    assertProblem(await controlPlane.get('/v1/vms', { as: key.key }), 401);
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
    const late = new Agent(controlPlane, { name: 'late-vm' });
    late.giveToken(unused.token);
    late.runBare();
    assert.ok(await late.process.hasExited(20_000));
    assert.match(late.process.stderr, /token/);
});

test('what is not whole, or not ours, is refused before anything changes', async () => {
    await controlPlane.stop();
    const place = new ControlPlane({ settings: controlPlane.database.flags, folder: temporaryFolder(), env: {}, port: 1 });
    const bytes = readFileSync(file);
    const damaged = join(folder, 'damaged.backup');
    const put = (content) => writeFileSync(damaged, content);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] ^= 1;
    for (const [content, sentence] of [
        [bytes.subarray(0, bytes.length - 1), /does not open/],
        [bytes.subarray(0, 34 + 65552), /cut off/],
        [flipped, /does not open: the passphrase is another, or the file is damaged/],
        ['', /no sealed file/],
        [readFileSync(program('synapsex-controlplane')).subarray(0, 100_000), /no sealed file/],
    ]) {
        put(content);
        refused(await verify(damaged), sentence);
        refused(await restore(place, damaged, ['--replace']), sentence);
        const left = existsSync(place.dataDir) ? readdirSync(place.dataDir).filter((name) => !name.endsWith('.lock')) : [];
        assert.deepEqual(left.filter((name) => name !== 'keys'), []);
        assert.deepEqual(existsSync(join(place.dataDir, 'keys')) ? readdirSync(join(place.dataDir, 'keys')) : [], []);
    }
    const other = join(safe, 'other');
    writeFileSync(other, 'another passphrase altogether', { mode: 0o600 });
    refused(await place.run(['restore', file, ...flagsOf(place), '--passphrase-file', other]), /the passphrase is another/);
    writeFileSync(other, 'too short', { mode: 0o600 });
    refused(await place.run(['restore', file, ...flagsOf(place), '--passphrase-file', other]), /at least 16 characters/);
    const beside = join(folder, 'passphrase');
    copyFileSync(passphrase, beside);
    refused(await place.run(['restore', file, ...flagsOf(place), '--passphrase-file', beside]), /who takes one takes the other/);
    refused(await restore(controlPlane), /is not empty; say --replace/);
    await controlPlane.serve();
    refused(await restore(controlPlane, file, ['--replace']), isPostgres ? /control planes are connected/ : /in use by process \d+; stop it first/);
});

test('a backup of a newer release is refused with its name', async () => {
    await controlPlane.stop();
    const url = controlPlane.database.flags[1] ?? `sqlite://${controlPlane.database.path}`;
    const newer = join(folder, 'newer.backup');
    const before = join(folder, 'before.backup');
    succeeded(await backup(controlPlane, [], before));
    const upgraded = await run(program('next_release'), [url, nextMigration('add_region'), "ALTER TABLE tenant_tenants ADD COLUMN region TEXT NOT NULL DEFAULT 'eu'"]);
    assert.equal(upgraded.code, 0, upgraded.stderr);
    succeeded(await backup(controlPlane, [], newer));
    succeeded(await verify(newer));
    refused(await restore(controlPlane, newer, ['--replace']), new RegExp(`of a newer release, SynapseX .*: it has ${nextMigration('add_region')} of tenant-service, which this program, .*, does not know; restore it with that release`));
    succeeded(await restore(controlPlane, before, ['--replace']));
    await controlPlane.serve();
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
});

test('a backup that is killed leaves the one before, and the next one works', async (t) => {
    const before = readFileSync(file);
    let killed = 0;
    for (let wait = 5; wait < 400; wait += 20) {
        const started = new Program(program('synapsex-controlplane'), ['backup', ...flagsOf(controlPlane), '--to', file, '--passphrase-file', passphrase]);
        await throughout(wait, () => {}, { every: wait });
        if (started.isRunning) ++killed;
        await started.killHard();
        if (readFileSync(file).equals(before)) continue;
        succeeded(await verify(file));  // it was in its place already
        break;
    }
    t.diagnostic(`killed ${killed} times`);
    assert.ok(killed > 2);
    succeeded(await backup(controlPlane));
    succeeded(await verify(file));
    assert.equal(readdirSync(folder).some((name) => name.endsWith('.part')), false);
    assert.deepEqual(readdirSync(controlPlane.dataDir).filter((name) => /backup|work/.test(name)), []);
});

test('nothing half restored is ever served', async (t) => {
    const { id } = await controlPlane.must('POST', '/v1/tenants', { name: 'Only here' });
    const after = join(folder, 'after.backup');
    succeeded(await backup(controlPlane, [], after));
    await controlPlane.stop();
    const ends = { refused: 0, whole: 0, before: 0 };
    for (let wait = 10; wait < 2000 && ends.whole === 0; wait = Math.ceil(wait * 1.25)) {
        if (!isPostgres) {
            rmSync(controlPlane.dataDir, { recursive: true });
            mkdirSync(controlPlane.dataDir);
        }
        const started = new Program(program('synapsex-controlplane'), ['restore', after, ...flagsOf(controlPlane), '--passphrase-file', passphrase, ...replacing]);
        await throughout(wait, () => {}, { every: wait });
        await started.killHard();
        const tried = await controlPlane.run(['serve', '--migrate-only', ...controlPlane.flags]);
        if (tried.code !== 0) {
            assert.match(tried.stderr, /a restore into .* did not come to its end; run the same .* again|no keys or no issuer/);
            ++ends.refused;
        } else {
            // Whole: the database and the keys of the backup; or, on PostgreSQL, all as it was.
            assert.equal(controlPlane.database.rows(`SELECT name FROM tenant_tenants WHERE tenant_id = '${id}'`).length, 1);
            const isRestored = incarnationOf(controlPlane) === undefined;
            ++ends[isRestored ? 'whole' : 'before'];
        }
    }
    t.diagnostic(JSON.stringify(ends));
    assert.ok(ends.refused + ends.before > 2, JSON.stringify(ends));
    // The same restore again mends what was left.
    succeeded(await restore(controlPlane, after, ['--replace']));
    await controlPlane.serve();
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
    await controlPlane.must('GET', `/v1/tenants/${id}`, undefined, { tenant: id });
});

const whyNoStrace = await (async () => {
    const tried = await run('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=rename', 'true']).catch((error) => ({ code: 1, stderr: error.message }));
    return tried.code !== 0 && `no program can be killed at a system call: ${tried.stderr.trim()}`;
})();
// What docs/backup.md has an operator type.
const goingBack = /^### Going back\n[^]*?```sh\n([^]*?)```/m.exec(readFileSync(new URL('../../docs/backup.md', import.meta.url), 'utf8'))[1];

test('a restore that is killed at any rename ends well when it runs again, and what was there before is aside', { skip: isPostgres ? 'SQLite has more to rename; PostgreSQL below' : whyNoStrace }, async (t) => {
    const origin = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: 1 });
    await origin.init();
    origin.database = makeDatabase(origin.dataDir);
    const old = join(folder, 'old.backup');
    succeeded(await backup(origin, [], old));
    const restored = await keysOf(origin);
    for (const wish of ['rotate', 'retire']) succeeded(await origin.run(['authority', wish, ...origin.flags]));
    const former = await keysOf(origin);
    // A row that is in the log alone, as after a crash.
    execFileSync('sqlite3', [origin.database.path], { input: `PRAGMA journal_mode = wal;\n.filectrl persist_wal 1\n.dbconfig no_ckpt_on_close on\nCREATE TABLE only_here AS SELECT 'in the log' AS text;\n` });
    assert.ok(statSync(`${origin.database.path}-wal`).size > 0);
    const rowsOf = (path) => execFileSync('sqlite3', [path, 'SELECT text FROM only_here'], { encoding: 'utf8' }).trim();
    const copyOf = () => {
        const plane = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: 1 });
        execFileSync('cp', ['-a', origin.dataDir, plane.dataDir]);
        return plane;
    };
    const killedAt = (plane, call, when) => run('strace', ['-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`,
        program('synapsex-controlplane'), 'restore', old, ...flagsOf(plane), '--passphrase-file', passphrase, '--replace'], { env: { ASAN_OPTIONS: 'detect_leaks=0' } });
    const check = async (plane, kills) => {
        const done = await restore(plane, old, ['--replace', '--json']);
        const { aside, formerAuthority } = JSON.parse(succeeded(done));
        assert.equal(aside.length, 5, `${kills}: ${aside}`);
        assert.equal(await keysOf(plane), restored, kills);
        const database = aside.find((path) => path.includes('controlplane.db.before-restore-'));
        assert.equal(rowsOf(database), 'in the log', kills);
        assert.ok(former.includes(formerAuthority) && formerAuthority !== '', `${kills}: the authority is another`);
        for (const path of aside.filter((name) => !name.includes('controlplane.db')))
            assert.deepEqual(readFileSync(path), readFileSync(join(origin.dataDir, path.slice(plane.dataDir.length).replace(/\.before-restore-.*/, ''))), kills);
        assert.throws(() => execFileSync('sqlite3', [join(plane.dataDir, 'controlplane.db'), 'SELECT * FROM only_here'], { stdio: 'pipe' }), /no such table/, kills);
        succeeded(await plane.run(['serve', '--migrate-only', ...plane.flags]));
        const left = [...readdirSync(plane.dataDir), ...readdirSync(join(plane.dataDir, 'keys'))].filter((name) => /unfinished|restoring|work/.test(name));
        assert.deepEqual(left, [], kills);
    };
    let last = 0;
    for (let when = 1; ; ++when) {
        const plane = copyOf();
        const { code, signal } = await killedAt(plane, 'rename', when);
        if (code === 0) break;
        assert.ok(signal === 'SIGKILL' || code === 137, `${code} ${signal}`);
        last = when;
        for (const command of [['serve'], ['init', '--email', 'a@example.com'], ['keys'], ['authority', 'show']])
            if (when === 1 || command[0] === 'keys') refused(await plane.run([...command, ...plane.flags]), /a restore into .* did not come to its end; run the same synapsex-controlplane restore again, or go back/);
        if (when % 3 === 0) {
            execFileSync('sh', ['-euc', goingBack.replace(/^(systemctl|cd) .*$/gm, '')], { cwd: plane.dataDir });
            assert.equal(await keysOf(plane), former, `went back after ${when}`);
            assert.equal(rowsOf(join(plane.dataDir, 'controlplane.db')), 'in the log');
            continue;
        }
        await check(plane, `killed at ${when}`);
    }
    t.diagnostic(`${last} renames`);
    assert.ok(last >= 11, `${last}`);
    for (const [first, second] of [[1, 5], [2, 2], [3, 5], [last - 3, 2]]) {
        const plane = copyOf();
        for (const when of [first, second]) assert.notEqual((await killedAt(plane, 'rename', when)).code, 0);
        await check(plane, `killed at ${first}, then at ${second}`);
    }
});

test('keys in a link or on a mount are restored, and what cannot be moved is refused before anything changes', { skip: await whyNoSmallDisk() }, async () => {
    const plane = new ControlPlane({ settings: makeDatabase(temporaryFolder()).flags, folder: temporaryFolder(), env: {}, port: 1 });
    await plane.init();
    const keys = join(plane.dataDir, 'keys');
    const whole = join(folder, 'volume.backup');
    succeeded(await backup(plane, [], whole));
    const before = await keysOf(plane);
    const mounted = (name) => run('unshare', [
        '--mount', 'sh', '-c', 'mount --bind "$1" "$1" && shift && exec "$@"', 'sh', join(plane.dataDir, name),
        program('synapsex-controlplane'), 'restore', whole, ...flagsOf(plane), '--passphrase-file', passphrase, '--replace',
    ]);
    succeeded(await mounted('keys'));
    assert.equal(await keysOf(plane), before);
    const names = readdirSync(plane.dataDir);
    for (const name of ['issuer', join('keys', 'root.key')]) refused(await mounted(name), /is mounted by itself, and so cannot be replaced: unmount it/);
    const volume = join(plane.folder, 'volume');
    renameSync(keys, volume);
    writeFileSync(keys, '');
    refused(await restore(plane, whole, ['--replace']), /keys is no directory; move it away/);
    rmSync(keys);
    assert.deepEqual(readdirSync(plane.dataDir), names.filter((name) => name !== 'keys'));
    symlinkSync(volume, keys);
    succeeded(await restore(plane, whole, ['--replace']));
    assert.equal(realpathSync(keys), realpathSync(volume));
    assert.equal(await keysOf(plane), before);
    // One that is refused leaves no directory for keys either.
    rmSync(keys);
    refused(await restore(plane, whole), /is not empty; say --replace/);
    assert.equal(existsSync(keys), false);
});

test('a full disk is told of, before the copy and while the file is written', { skip: await whyNoSmallDisk() }, async () => {
    const small = temporaryFolder();
    const onFullDisk = (parameters) => run('unshare', [
        '--mount', 'sh', '-c', `${mountTmpfs} && head -c 16700000 /dev/zero >"$1/filler" && shift && exec "$@"`, 'sh', small,
        program('synapsex-controlplane'), 'backup', ...flagsOf(controlPlane), '--passphrase-file', passphrase, ...parameters,
    ]);
    refused(await onFullDisk(['--to', join(small, 'full.backup')]), /cannot write .*full\.backup\.part: No space left on device/);
    if (!isPostgres) refused(await onFullDisk(['--to', join(folder, 'full.backup'), '--work-dir', small]), /has 0 MB free; a copy takes \d+ MB for a while, and 0 MB have to be left; make room, or choose another folder with --work-dir/);
    assert.equal(existsSync(join(folder, 'full.backup')), false);
});

test("PostgreSQL's own programs get no password as an argument, and may fail at any time", { skip: !isPostgres && 'on PostgreSQL' }, async () => {
    const ours = temporaryFolder();
    const env = { PATH: `${ours}:${process.env.PATH}` };
    // In place of the program: what it was called with, and then `does`.
    const replace = (name, does) => {
        const real = execFileSync('which', [name], { encoding: 'utf8' }).trim();
        writeFileSync(join(ours, name), `#!/bin/sh\necho "$0 $@" >>"${ours}/calls"\n${does.replaceAll('REAL', real)}\n`, { mode: 0o700 });
    };
    const original = controlPlane.env;
    controlPlane.env = env;
    try {
        for (const name of ['pg_dump', 'pg_restore', 'psql']) replace(name, 'exec REAL "$@"');
        const good = join(folder, 'good.backup');
        succeeded(await backup(controlPlane, [], good));
        const before = readFileSync(good);
        replace('pg_dump', 'REAL "$@" | head -c 30000; echo "aborting because of server version mismatch" >&2; exit 1');
        refused(await backup(controlPlane, [], good), /pg_dump failed: .*aborting because of server version mismatch/);
        assert.ok(readFileSync(good).equals(before));
        // A restore whose parts fail changes nothing, and the server of before starts again.
        await controlPlane.stop();
        const incarnation = incarnationOf(controlPlane);
        for (const [name, does, sentence] of [
            ['pg_restore', 'case "$*" in *null*) exec REAL "$@";; esac; REAL "$@" | head -c 20000; echo "out of luck" >&2; exit 1', /pg_restore failed: .*out of luck/],
            ['psql', 'case "$*" in *"-f -"*) head -c 20000 | REAL "$@"; echo "gone" >&2; exit 1;; *) exec REAL "$@";; esac', /psql failed: .*gone/],
        ]) {
            replace(name, does);
            refused(await restore(controlPlane, good, ['--replace']), sentence);
            replace(name, 'exec REAL "$@"');
            assert.equal(incarnationOf(controlPlane), incarnation);
            assert.equal(existsSync(join(controlPlane.dataDir, 'restore.unfinished')), false);
        }
        // Its end came through, its answer did not: nobody knows, so nothing starts.
        replace('psql', 'REAL "$@"; status=$?; case "$*" in *"-f -"*) echo "connection lost" >&2; exit 2;; esac; exit $status');
        refused(await restore(controlPlane, good, ['--replace']), /psql failed: .*connection lost/);
        replace('psql', 'exec REAL "$@"');
        // One that fails after it has changed nothing that the one before it had not.
        replace('pg_restore', 'case "$*" in *null*) exec REAL "$@";; esac; echo "out of luck" >&2; exit 1');
        refused(await restore(controlPlane, good), /pg_restore failed: .*out of luck/);
        replace('pg_restore', 'exec REAL "$@"');
        refused(await controlPlane.run(['serve', ...controlPlane.flags]), /a restore into .* did not come to its end/);
        succeeded(await restore(controlPlane, good));
        const calls = readFileSync(join(ours, 'calls'), 'utf8');
        for (const name of ['pg_dump', 'pg_restore', 'psql']) assert.ok(calls.includes(`/${name} `), calls);
        assert.equal(calls.includes(process.env.PGPASSWORD), false, calls);
    } finally {
        controlPlane.env = original;
    }
    await controlPlane.serve();
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
});

test('a service with a database of its own is in the backup, and has to be in the configuration', async () => {
    const plane = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: 1 });
    const own = ['--auth-database-url', `sqlite://${join(plane.folder, 'auth.db')}`];
    plane.settings = own;
    await plane.init();
    const both = join(folder, 'both.backup');
    const result = JSON.parse(succeeded(await backup(plane, ['--json'], both)));
    assert.deepEqual(result.databases.map(({ name, services }) => [name, services]), [['main', ['tenant', 'vm_registry', 'agent_registry', 'audit']], ['auth', ['auth']]]);
    const empty = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: 1 });
    refused(await restore(empty, both), /databases are not those of this configuration: it has main \(sqlite: tenant, vm_registry, agent_registry, audit\) auth \(sqlite: auth\); set DATABASE_URL/);
    empty.settings = ['--auth-database-url', `sqlite://${join(empty.folder, 'users', 'auth.db')}`];
    succeeded(await restore(empty, both));
    assert.equal(statSync(join(empty.folder, 'users', 'auth.db')).mode & 0o777, 0o600);
    succeeded(await empty.run(['serve', '--migrate-only', ...empty.flags]));
    assert.deepEqual(readdirSync(empty.dataDir).sort().filter((name) => !name.endsWith('.lock')), ['controlplane.db', 'issuer', 'keys']);
});

test('another user is told whose the control plane is', { skip: !isRoot && 'takes root' }, async () => {
    const plane = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: 1 });
    await plane.init();
    chownSync(plane.dataDir, 65534, 65534);
    refused(await backup(plane, [], join(folder, 'other.backup')), /belongs to user 65534; run this as that user, as in {2}setpriv --reuid 65534/);
    refused(await restore(plane), /belongs to user 65534; run this as that user/);
    // Root would leave files there that the control plane cannot read.
    for (const command of [['keys'], ['authority', 'show'], ['authority', 'rotate'], ['init', '--email', 'a@example.com'], ['recover-owner', '--email', 'a@example.com'], ['serve']])
        refused(await plane.run([...command, ...plane.flags]), /belongs to user 65534; run this as that user/);
});

test('one who restores across a rotation is told that agents will not come, and how they do', async () => {
    const plane = new ControlPlane({ settings: makeDatabase(temporaryFolder()).flags, folder: temporaryFolder(), env: {}, port: 1 });
    await plane.init();
    const authority = async () => /^authority\t[^\t]*\t(\S+)/m.exec(await keysOf(plane))[1];
    const before = join(folder, 'before rotation.backup');
    const first = await authority();
    const { keys } = JSON.parse(succeeded(await backup(plane, ['--json'], before)));
    assert.equal(keys.find(({ name }) => name === 'authority').keyId, first);
    for (const wish of ['rotate', 'retire']) assert.match(succeeded(await plane.run(['authority', wish, ...plane.flags])), /[Mm]ake a backup/);
    const second = await authority();
    const said = succeeded(await restore(plane, before, ['--replace']));
    assert.equal(await authority(), first);
    const [, former, from, to] = /THE AUTHORITY IS ANOTHER than the one that was here, (\S+)\.[^]*\n {2}mv (.*authority\.key\.before-restore-\S+) (.*authority\.key)\n/.exec(said);
    assert.equal(former, second);
    renameSync(from, to);
    assert.equal(await authority(), second);
    // A backup without its authority is none, and so is one whose authority is no key.
    writeFileSync(to, 'garbage', { mode: 0o600 });
    refused(await backup(plane, [], before), /authority\.key/);
    rmSync(to);
    refused(await backup(plane, [], before), /authority\.key is not there; restore it from the backup/);
});

test('a restore that broke off says when it runs again that the authority is another than the first', { skip: whyNoStrace }, async () => {
    const plane = new ControlPlane({ settings: makeDatabase(temporaryFolder()).flags, folder: temporaryFolder(), env: {}, port: 1 });
    await plane.init();
    const authority = async () => /^authority\t[^\t]*\t(\S+)/m.exec(await keysOf(plane))[1];
    const old = join(folder, 'old authority.backup');
    succeeded(await backup(plane, [], old));
    for (const wish of ['rotate', 'retire']) succeeded(await plane.run(['authority', wish, ...plane.flags]));
    const second = await authority();
    for (const when of [2, 5, 3]) {
        const killed = await run('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e', `inject=rename:signal=KILL:when=${when}`,
            program('synapsex-controlplane'), 'restore', old, ...flagsOf(plane), '--passphrase-file', passphrase, '--replace'], { env: { ASAN_OPTIONS: 'detect_leaks=0' } });
        assert.notEqual(killed.code, 0);
        refused(await plane.run(['keys', ...flagsOf(plane)]), /a restore into .* did not come to its end/);
    }
    const said = succeeded(await restore(plane, old));
    const [, former, from, to] = /THE AUTHORITY IS ANOTHER than the one that was here, (\S+)\.[^]*\n {2}mv (.*authority\.key\.before-restore-\S+) (.*authority\.key)\n/.exec(said);
    assert.equal(former, second);
    assert.ok(said.includes(`  aside     ${from}\n`), said);
    if (isPostgres) assert.match(said, /^ {2}aside {5}schema before_restore_\w+ of postgresql:/m);
    assert.equal(said.match(/^ {2}aside /gm).length, 5, said);
    renameSync(from, to);
    assert.equal(await authority(), second);
});

test('one that is stopped clears away what it unpacked', async () => {
    const work = temporaryFolder();
    let stopped = 0;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
        for (const wait of [100, 200, 400]) {
            const started = new Program(program('synapsex-controlplane'), ['backup', '--verify', file, '--passphrase-file', passphrase, '--work-dir', work]);
            await throughout(wait, () => {}, { every: wait });
            if (started.isRunning) started.child.kill(signal);
            assert.ok(await started.hasExited(20_000));
            assert.deepEqual(readdirSync(work), []);
            if (started.stderr.includes(`stopped by ${signal}; nothing was changed`)) ++stopped;
        }
    assert.ok(stopped > 0);
});

test('the command line says what is missing', async () => {
    const none = await controlPlane.run(['backup', ...flagsOf(controlPlane), '--passphrase-file', passphrase]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--to or --verify/);
    assert.equal((await controlPlane.run(['backup', ...flagsOf(controlPlane), '--to', file])).code, 2);
    refused(await controlPlane.run(['backup', ...flagsOf(controlPlane), '--to', '/no/such/folder/x', '--passphrase-file', passphrase]), /cannot write \/no\/such\/folder\/x\.part: No such file or directory/);
    const bare = temporaryFolder();  // a machine without PostgreSQL's programs
    symlinkSync('/usr/bin/setpriv', join(bare, 'setpriv'));
    if (isPostgres)
        refused(await controlPlane.run(['backup', ...flagsOf(controlPlane), '--to', file, '--passphrase-file', passphrase], { env: { PATH: bare } }), /cannot run psql: .* install PostgreSQL's client programs/);
});
