// The README's first command, on a copy of this checkout in a folder whose name has spaces: from
// sources to this machine as a living VM. It builds the release; tests/run.sh asks for it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';

import { isPostgres, makeDatabase } from '../support/databases.mjs';
import { eventually, freePort, isAlive, isRoot, root, run, temporaryFolder } from '../support/processes.mjs';

const skip = process.env.SYNAPSEX_QUICKSTART !== '1' && 'builds the release: tests/run.sh quickstart';
const checkout = skip ? '' : join(temporaryFolder(), 'a fresh clone');
const quickstart = (...parameters) => run(
    join(checkout, 'installers', 'quickstart.sh'), parameters, { cwd: checkout, within: 1_500_000 },
);
const ok = (done) => {
    assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return done.stdout;
};

// What a commit of the working tree would have, and nothing that was built.
function copyCheckout() {
    mkdirSync(checkout);
    const names = execFileSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { maxBuffer: 2 ** 26 })
        .toString().split('\0').filter((name) => name && existsSync(join(root, name)));
    const archive = execFileSync('tar', ['-C', root, '-c', '--null', '-T', '-'], { input: names.join('\0'), maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-C', checkout, '-x'], { input: archive });
}

test('the quickstart, from sources to a living VM and away again', { skip }, async (t) => {
    copyCheckout();
    after(async () => { if (existsSync(join(checkout, '.quickstart'))) await quickstart('--clean', '--yes'); });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    let vm;
    let pids;

    const toolWith = (env, ...parameters) => run(join(checkout, '.quickstart', 'synapsexctl'), parameters, { env, within: 60_000 });
    const tool = (...parameters) => toolWith({}, ...parameters);
    const vms = async () => JSON.parse(ok(await tool('vms', 'list', '--json')));
    const onlyVm = async () => {
        const list = await vms();
        const items = list.items ?? list;
        assert.equal(items.length, 1);
        return items[0];
    };
    const status = async () => (await quickstart('--status')).stdout;
    const pidsOf = (text) => [...text.matchAll(/\(pid (\d+)\)/g)].map((match) => Number(match[1]));

    await t.test('a port in use ends it with one clear sentence', async () => {
        // Only what is there is needed to see that; the build comes before, and is not repeated.
        const server = createServer();
        await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
        const start = Date.now();
        const done = await quickstart('--yes', '--no-install', '--port', String(server.address().port));
        server.close();
        t.diagnostic(`release build with what ccache knew: ${Math.round((Date.now() - start) / 1000)} s`);
        assert.equal(done.code, 1, `${done.stdout}\n${done.stderr}`);
        assert.match(done.stderr.trim(), /^quickstart: port \d+ is in use by another program; choose one with --port N\.$/);
    });

    await t.test('it ends with this machine online and what to try next', async () => {
        const start = Date.now();
        const said = ok(await quickstart('--yes', '--no-install', '--port', String(port)));
        t.diagnostic(`from built to online: ${Math.round((Date.now() - start) / 1000)} s`);
        assert.ok(said.includes(`${url}/docs`), said);
        assert.match(said, /Password +\S{12,}/);
        assert.match(said, /synapsexctl'? vms watch vm_/);
        vm = await onlyVm();
        assert.ok(said.includes(vm.id));
        assert.equal(vm.state, 'online');
        assert.equal(vm.kernel, execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
        assert.ok(vm.latest, 'with its first telemetry');
        pids = pidsOf(await status());
        assert.equal(pids.length, 2);
    });

    await t.test('what it keeps is private', () => {
        for (const name of ['owner.json', 'credentials.json'])
            assert.equal(statSync(join(checkout, '.quickstart', name)).mode & 0o777, 0o600, name);
        assert.equal(statSync(join(checkout, '.quickstart')).mode & 0o077, 0);
        assert.equal(statSync(join(checkout, '.quickstart', 'credentials.trust', 'operator.key')).mode & 0o777, 0o600);
    });

    await t.test('its VM has pinned the trust root of its owner', async () => {
        const root = JSON.parse(ok(await tool('trust', 'show', '--json')));
        assert.equal(root.keys[0].name, 'owner@synapsex.local');
        const identity = JSON.parse(readFileSync(join(checkout, '.quickstart', 'data', 'agent', 'identity.json'), 'utf8'));
        assert.equal(identity.trustRoot, root.fingerprint);
    });

    await t.test('its tool signs in as the owner unless its user says otherwise', async () => {
        assert.match(ok(await tool('whoami')), /owner@synapsex\.local/);
        for (const name of ['SYNAPSEX_API_KEY', 'SYNAPSEX_ACCESS_TOKEN'])
            assert.equal((await toolWith({ [name]: 'bogus' }, 'whoami')).code, 3, name);
        assert.equal((await toolWith({ SYNAPSEX_TENANT_ID: 'no-such-tenant' }, 'vms', 'list')).code, 4);
        assert.equal((await toolWith({ SYNAPSEX_URL: `http://127.0.0.1:${await freePort()}`, SYNAPSEX_API_KEY: 'x' }, 'vms', 'list')).code, 5);
        const stranger = await toolWith({ HOME: checkout, SYNAPSEX_PROFILE: 'none' }, 'whoami');
        assert.equal(stranger.code, 3);
        assert.ok(stranger.stderr.includes(`'${join(checkout, '.quickstart', 'synapsexctl')}' login --url`), stranger.stderr);
    });

    await t.test('a second run is quick, changes nothing and keeps the VM', async () => {
        const rootFile = join(checkout, '.quickstart', 'credentials.trust', 'root.json');
        const rootBefore = readFileSync(rootFile, 'utf8');
        const start = Date.now();
        const said = ok(await quickstart('--yes', '--no-install'));
        const seconds = (Date.now() - start) / 1000;
        t.diagnostic(`second run: ${seconds.toFixed(1)} s`);
        assert.ok(seconds < 60, `${seconds} s`);
        assert.doesNotMatch(said, /Password/);
        assert.deepEqual(pidsOf(await status()), pids);
        assert.equal((await onlyVm()).id, vm.id);
        assert.equal(readFileSync(rootFile, 'utf8'), rootBefore);
    });

    await t.test('after --stop nothing runs, and the next run goes on with the same VM', async () => {
        ok(await quickstart('--stop'));
        for (const pid of pids) assert.ok(!isAlive(pid));
        ok(await quickstart('--yes', '--no-install'));
        await eventually('it is online again', async () => (await onlyVm()).state === 'online', { within: 60_000, every: 500 });
        assert.equal((await onlyVm()).id, vm.id);
        pids = pidsOf(await status());
    });

    await t.test('it moves to another port with all that it has', async () => {
        const other = await freePort();
        ok(await quickstart('--stop'));
        const said = ok(await quickstart('--yes', '--no-install', '--port', String(other)));
        assert.ok(said.includes(`http://127.0.0.1:${other}/docs`), said);
        await eventually('it is online there', async () => (await onlyVm()).state === 'online', { within: 60_000, every: 500 });
        assert.equal((await onlyVm()).id, vm.id);
        assert.match(ok(await tool('whoami')), new RegExp(`127\\.0\\.0\\.1:${other}`));
        pids = pidsOf(await status());
        ok(await quickstart('--yes', '--no-install'));
        assert.deepEqual(pidsOf(await status()), pids, 'and stays there');
    });

    await t.test('after a kill -9 of the control plane a run has the VM online without the agent\'s back-off', async () => {
        const pid = pids.find((each) => execFileSync('readlink', [`/proc/${each}/exe`], { encoding: 'utf8' }).includes('controlplane'));
        process.kill(pid, 'SIGKILL');
        await eventually('it is gone', () => !isAlive(pid));
        ok(await quickstart('--yes', '--no-install'));
        await eventually('it is online again', async () => (await onlyVm()).state === 'online', { within: 30_000, every: 500 });
        assert.equal((await onlyVm()).id, vm.id);
    });

    await t.test('a machine whose VM was removed is enrolled anew', async () => {
        const agents = JSON.parse(ok(await tool('agents', 'list', '--json')));
        const [agent] = agents.items ?? agents;
        ok(await tool('agents', 'remove', agent.id, '--yes'));
        const said = ok(await quickstart('--yes', '--no-install'));
        assert.ok(said.includes(`${vm.id} was removed; enrolling this machine anew`), said);
        const fresh = await onlyVm();
        assert.notEqual(fresh.id, vm.id);
        assert.equal(fresh.state, 'online');
        pids = pidsOf(await status());
    });

    await t.test('--clean leaves the build and nothing else', async () => {
        ok(await quickstart('--clean', '--yes'));
        for (const pid of pids) assert.ok(!isAlive(pid));
        assert.ok(!existsSync(join(checkout, '.quickstart')));
        assert.ok(existsSync(join(checkout, 'build', 'release', 'bin', 'synapsex-controlplane')));
    });
});

// What is refused before anything is built needs the scripts alone.
function bareCheckout(name) {
    const folder = join(temporaryFolder(), name);
    cpSync(join(root, 'installers'), join(folder, 'installers'), { recursive: true });
    return folder;
}
const bareQuickstart = (folder, ...parameters) => run(join(folder, 'installers', 'quickstart.sh'), parameters);

test('a path in which nothing works is refused at once, with the character that is to blame', async () => {
    for (const character of ['%', '?', '#', "'", '"', ';', '$', '\\', '`', '(', '&', '|', '*']) {
        const folder = bareCheckout(`a${character}b`);
        const done = await bareQuickstart(folder, '--yes', '--no-install');
        assert.equal(done.code, 1);
        assert.equal(done.stderr, `quickstart: the path ${folder} has a ${character} in it, which does not work; move the checkout.\n`);
        assert.ok(!existsSync(join(folder, '.quickstart')));
    }
});

test('--clean deletes nothing behind a link and says where the data is', async () => {
    const folder = bareCheckout('linked');
    const target = join(folder, 'elsewhere');
    mkdirSync(target);
    writeFileSync(join(target, 'owner.json'), '{}');
    symlinkSync(target, join(folder, '.quickstart'));
    const done = await bareQuickstart(folder, '--clean', '--yes');
    assert.equal(done.code, 1);
    assert.ok(done.stderr.includes(`is a link to ${target}, which has the keys and all data; nothing was deleted`), done.stderr);
    assert.equal(readFileSync(join(target, 'owner.json'), 'utf8'), '{}');
});

test('who may not look, or write, is told so and nothing else', { skip: !isRoot && 'needs another user' }, async () => {
    const folder = bareCheckout('of root');
    chmodSync(dirname(folder), 0o755);
    const asNobody = (...parameters) => run('setpriv', [
        '--reuid=65534', '--regid=65534', '--clear-groups', join(folder, 'installers', 'quickstart.sh'), ...parameters,
    ]);
    const first = await asNobody('--yes', '--no-install');
    assert.deepEqual([first.code, first.stderr], [1, `quickstart: ${folder}/.quickstart cannot be written: Permission denied.\n`]);
    mkdirSync(join(folder, '.quickstart'), { mode: 0o700 });
    for (const action of ['--status', '--stop', '--clean', '--yes']) {
        const done = await asNobody(action);
        assert.deepEqual([done.code, done.stdout], [1, ''], action);
        assert.equal(done.stderr, `quickstart: ${folder}/.quickstart belongs to root and cannot be seen by this user.\n`);
    }
});

test('the quickstart on PostgreSQL behaves the same', { skip: skip || (!isPostgres && 'needs PostgreSQL') }, async (t) => {
    if (!existsSync(join(checkout, 'installers'))) copyCheckout();
    const database = makeDatabase();
    const [, url] = database.flags;
    const port = String(await freePort());
    const on = (...parameters) => run(
        join(checkout, 'installers', 'quickstart.sh'), parameters,
        { cwd: checkout, within: 1_500_000, env: { DATABASE_URL: url } },
    );
    after(async () => { if (existsSync(join(checkout, '.quickstart'))) await quickstart('--clean', '--yes'); });

    const first = ok(await on('--yes', '--no-install', '--port', port));
    assert.match(first, /Control plane with PostgreSQL at [^@]*\/story_/);
    assert.ok(!first.includes(process.env.PGPASSWORD), 'the password is not shown');
    assert.equal(statSync(join(checkout, '.quickstart', 'database-url')).mode & 0o777, 0o600);
    assert.ok(!existsSync(join(checkout, '.quickstart', 'data', 'controlplane', 'controlplane.db')));
    const list = () => run(join(checkout, '.quickstart', 'synapsexctl'), ['vms', 'list', '--json'], { within: 60_000 });
    const [vm] = JSON.parse(ok(await list())).items;
    assert.equal(vm.state, 'online');

    await t.test('a second run needs no DATABASE_URL and finds the same VM', async () => {
        ok(await quickstart('--stop'));
        assert.match(ok(await quickstart('--yes', '--no-install')), /Control plane with PostgreSQL/);
        assert.equal(JSON.parse(ok(await list())).items[0].id, vm.id);
    });
    await t.test('another database is refused while there is data', async () => {
        const other = await run(
            join(checkout, 'installers', 'quickstart.sh'), ['--yes', '--no-install'],
            { cwd: checkout, within: 60_000, env: { DATABASE_URL: 'postgresql://somebody:secret@elsewhere/db' } },
        );
        assert.equal(other.code, 1);
        assert.match(other.stderr, /the data is in PostgreSQL at .*story_/);
        assert.ok(!other.stderr.includes('secret'));
    });
    await t.test('--clean says what it leaves, and a used database is refused', async () => {
        assert.match(ok(await quickstart('--clean', '--yes')), /The data is in PostgreSQL at .* still/);
        const again = await on('--yes', '--no-install', '--port', port);
        assert.equal(again.code, 1, again.stdout);
        assert.match(again.stderr, /has an owner already/);
    });
});
