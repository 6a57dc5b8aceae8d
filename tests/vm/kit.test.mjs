// The kit that boots VMs for tests (README.md), against itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { request } from '../support/http.mjs';
import { eventually, isAlive, Program, run, temporaryFolder } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';
import { debianRoot, rootOf } from './kit/roots.mjs';
import { cache, mountsBelow, removeLeftovers } from './kit/runs.mjs';

const needsVms = { skip: whyNoVms() };
const here = dirname(fileURLToPath(import.meta.url));

// How a connection from there to that address and port goes: "connected" or the name of the error.
async function connect(from, address, port, within = 3) {
    const program = `import errno, socket, time
start = time.monotonic()
try:
    socket.create_connection(('${address}', ${port}), ${within})
    print('connected', time.monotonic() - start)
except TimeoutError:
    print('ETIMEDOUT')
except OSError as error:
    print(errno.errorcode[error.errno])`;
    const [how, seconds] = (await from.must(['python3', '-c', program])).split(' ');
    return { how, seconds: Number(seconds) };
}

// An HTTP server that answers with this text, in a VM.
async function serve(vm, text) {
    await vm.write('/srv/www/index.html', text);
    await vm.must('systemd-run --quiet --unit=www python3 -m http.server --directory /srv/www 8000');
    await eventually('the server listens', async () => (await connect(vm, '127.0.0.1', 8000)).how === 'connected');
}

const mountOfRoot = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').find((line) => line.split(' ')[4] === '/');

for (const suite of ['bookworm', 'trixie'])
    test(`a VM of ${suite} boots without a failed unit and is a machine of its own`, needsVms, async (t) => {
        const before = mountOfRoot();
        const network = await Network.make(t);
        const start = Date.now();
        const vm = await network.boot('web-1', { suite });
        t.diagnostic(`${Date.now() - start} ms from nothing to running`);
        assert.equal(await vm.must('systemctl is-system-running'), 'running');
        assert.equal(await vm.must('systemctl list-units --failed --no-legend'), '');
        assert.match(await vm.read('/etc/os-release'), new RegExp(`VERSION_CODENAME=${suite}`));
        assert.equal(await vm.must('hostname'), 'web-1');
        assert.equal(await vm.must('cat /proc/1/comm'), 'systemd');
        const twin = await network.boot('web-2', { suite });
        assert.notEqual(await vm.read('/etc/machine-id'), await twin.read('/etc/machine-id'));
        assert.notEqual(await vm.bootId(), await twin.bootId());

        await t.test('no line in fstab, and nothing has remounted the machine\'s own disk', async () => {
            assert.equal(await vm.read('/etc/fstab'), '');
            assert.equal(mountOfRoot(), before);
        });
        await t.test('the root that they are copies of is untouched', async () => {
            await vm.write('/etc/only-here', 'x');
            assert.equal(await vm.read('/etc/only-here'), 'x');
            assert.ok(!existsSync(join(rootOf(suite), 'etc/only-here')));
            assert.notEqual((await twin.run('cat /etc/only-here')).code, 0);
        });
    });

test('commands and files', needsVms, async (t) => {
    const network = await Network.make(t);
    const vm = await network.boot('web-1');
    assert.deepEqual(await vm.run('echo out; echo err >&2; exit 3'), { code: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
    assert.deepEqual((await vm.run(['printf', '%s', '$HOME "x"'])).stdout, '$HOME "x"');
    assert.equal((await vm.run('cat', { input: 'given' })).stdout, 'given');
    await assert.rejects(vm.must('echo because >&2; false'), /web-1: .*because/s);
    await assert.rejects(vm.run('sleep 600', { within: 500 }), /did not end within 0.5 s/);
    await eventually('what took too long has ended', async () => (await vm.run('pgrep -x sleep')).code === 1);

    await t.test('another user is not root', async () => {
        assert.equal(await vm.must('id -un', { user: 'nobody' }), 'nobody');
        assert.match((await vm.run('cat /etc/shadow', { user: 'nobody' })).stderr, /Permission denied/);
    });
    await t.test('a folder is copied in, with its modes', async () => {
        const folder = join(temporaryFolder(), 'some files');
        mkdirSync(folder);
        writeFileSync(join(folder, 'run me'), '#!/bin/sh\necho ran', { mode: 0o755 });
        assert.equal(await vm.copyIn(folder, '/opt/new'), '/opt/new/some files');
        assert.equal(await vm.must(['/opt/new/some files/run me']), 'ran');
        assert.equal(await vm.must(['stat', '-c', '%U', '/opt/new/some files']), 'root');
        await assert.rejects(vm.copyIn('/nowhere'), /Cannot stat/);
    });
    await t.test('what it writes stays inside, through links too', async () => {
        await vm.must('ln -s /tmp /var/link');
        await vm.write('/var/link/sx-kit-test', 'inside', { mode: '600' });
        assert.equal(await vm.must('stat -c %a /tmp/sx-kit-test'), '600');
        assert.ok(!existsSync('/tmp/sx-kit-test'));
        await assert.rejects(vm.read('/no/such/file'), /No such file/);
    });
});

test('VMs reach each other, the test reaches them, and nobody the machine\'s network', needsVms, async (t) => {
    const network = await Network.make(t);
    const [one, two] = await Promise.all([network.boot('one'), network.boot('two')]);
    await serve(two, 'from two');
    assert.equal((await connect(one, 'two', 8000)).how, 'connected');
    await network.call('control.example', two.address);
    assert.equal((await connect(one, 'control.example', 8000)).how, 'connected');
    assert.equal((await connect(one, network.address, 8000)).how, 'ECONNREFUSED');

    await t.test('a program on the test\'s side is reached from a VM, and by the test through a gate', async () => {
        const folder = temporaryFolder();
        writeFileSync(join(folder, 'index.html'), 'from outside');
        const server = network.start('python3', ['-m', 'http.server', '--directory', folder, '9000']);
        await eventually('it is reached', async () => {
            assert.ok(server.isRunning, server.tail());
            return (await connect(one, network.address, 9000)).how === 'connected';
        });
        assert.equal((await request(`http://127.0.0.1:${await network.gate(9000)}/`)).text, 'from outside');
        assert.equal((await request(`http://127.0.0.1:${await network.gate(8000, two.address)}/`)).text, 'from two');
        const nowhere = await network.gate(7);
        await assert.rejects(request(`http://127.0.0.1:${nowhere}/`));
    });
    await t.test('not the machine, nor what it reaches', async () => {
        const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
        await once(server, 'listening');
        t.after(() => server.close());
        const own = Object.values(networkInterfaces()).flat().filter(({ family, internal }) => family === 'IPv4' && !internal);
        for (const address of [...own.map((each) => each.address), '203.0.113.1'])
            assert.equal((await connect(one, address, server.address().port)).how, 'ENETUNREACH', address);
        assert.equal((await connect(one, '127.0.0.1', server.address().port)).how, 'ECONNREFUSED');
    });
    await t.test('another network\'s VM of the same address is another', async () => {
        const other = await Network.make(t);
        const stranger = await other.boot('stranger');
        assert.equal(stranger.address, one.address);
        assert.equal((await connect(stranger, two.address, 8000, 15)).how, 'EHOSTUNREACH');
    });
});

test('a cable that is cut, slow or lossy, and mended', needsVms, async (t) => {
    const network = await Network.make(t);
    const [one, two] = await Promise.all([network.boot('one'), network.boot('two')]);
    await serve(two, 'x'.repeat(300_000));
    const usual = await connect(one, two.address, 8000);
    assert.equal(usual.how, 'connected');

    await one.cut();
    assert.notEqual((await connect(one, two.address, 8000, 1)).how, 'connected');
    assert.equal(await one.must('cat /sys/class/net/eth0/carrier'), '1', 'it is not told');
    await one.mend();
    assert.equal((await connect(one, two.address, 8000, 10)).how, 'connected');

    await one.degrade({ delay: 150 });
    const slow = await connect(one, two.address, 8000, 10);
    assert.equal(slow.how, 'connected');
    assert.ok(slow.seconds >= 0.3, `there and back took ${slow.seconds} s`);
    await one.cut();
    assert.notEqual((await connect(one, two.address, 8000, 1)).how, 'connected', 'cut while slow');
    await one.mend();
    const again = await connect(one, two.address, 8000, 10);
    assert.equal(again.how, 'connected');
    assert.ok(again.seconds < 0.3, `${again.seconds} s after it was mended`);

    await t.test('30 % of what is sent is lost, and TCP mends 2 %', async () => {
        const receive = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 5000)); n = 0
print('ready', flush=True)
try:
    while True: s.recv(99); n += 1; s.settimeout(3)
except TimeoutError: print(n)`;
        const send = `import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(1000): s.sendto(b'x', ('${two.address}', 5000)); time.sleep(.001)`;
        await one.degrade({ loss: 0.3 });
        await two.write('/root/receive.py', receive);
        await two.must('systemd-run --quiet --unit=receive python3 /root/receive.py');
        await eventually('it receives', async () => (await two.journal('receive')).includes('ready'));
        await eventually('ARP has got through', async () => (await connect(one, two.address, 1, 1)).how === 'ECONNREFUSED');
        await one.must(['python3', '-c', send]);
        const got = await eventually('all are counted', async () => Number(/^(\d+)$/m.exec(await two.journal('receive'))?.[1]));
        assert.ok(got > 600 && got < 800, `${got} of 1000 came through`);
        await one.degrade({ loss: 0.02, delay: 5 });
        const fetch = `import urllib.request; print(len(urllib.request.urlopen('http://${two.address}:8000/', timeout=50).read()))`;
        assert.equal(await one.must(['python3', '-c', fetch]), '300000');
    });
});

test('power: killed, booted again, rebooted from inside, shut down', needsVms, async (t) => {
    const network = await Network.make(t);
    const vm = await network.boot('web-1');
    const first = await vm.bootId();
    const id = await vm.read('/etc/machine-id');
    await vm.write('/var/lib/kept', 'before the plug was pulled');
    await vm.must('systemd-run --quiet --unit=talker sh -c "echo said in the first life; sleep 1000"');
    await eventually('it is in the journal', async () => (await vm.journal('talker')).includes('said in the first life'));
    await vm.must('journalctl --sync');

    await vm.kill();
    assert.ok(!vm.isOn);
    await assert.rejects(vm.run('true'), /web-1 is off/);
    assert.equal(await vm.read('/var/lib/kept'), 'before the plug was pulled', 'its disk can be read while it is off');
    assert.match(await vm.journal('talker'), /first life/);
    await vm.write('/var/lib/given', 'while it was off');

    await vm.boot();
    assert.notEqual(await vm.bootId(), first);
    assert.equal(await vm.read('/etc/machine-id'), id);
    assert.equal(await vm.read('/var/lib/kept'), 'before the plug was pulled');
    assert.equal(await vm.read('/var/lib/given'), 'while it was off');
    await assert.rejects(vm.boot(), /web-1 is on/);

    await vm.reboot();
    assert.equal(await vm.read('/var/lib/kept'), 'before the plug was pulled');
    assert.equal((await connect(vm, network.address, 9)).how, 'ECONNREFUSED', 'its network is there again');

    await vm.write('/etc/systemd/system/last.service', '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\nExecStop=sh -c "echo orderly >/var/lib/last"\n');
    await vm.must('systemctl daemon-reload && systemctl start last');
    await vm.stop();
    assert.ok(!vm.isOn);
    assert.equal(await vm.read('/var/lib/last'), 'orderly\n');
    await vm.boot();

    await vm.run('poweroff');
    await eventually('it has shut itself down', () => !vm.process.isRunning);
    await vm.boot();
});

test('a unit that fails at boot is told by its name and reason', needsVms, async (t) => {
    const network = await Network.make(t);
    const vm = await network.boot('web-1');
    await vm.write('/etc/systemd/system/bad.service', '[Service]\nType=oneshot\nExecStart=sh -c "echo no luck today; exit 4"\n[Install]\nWantedBy=multi-user.target\n');
    await vm.must('systemctl enable bad');
    await vm.stop();
    await assert.rejects(vm.boot(), /units failed in web-1:[^]*bad\.service[^]*status=4/);
});

test('the clock of a unit is shifted, and jumps while it runs', needsVms, async (t) => {
    const network = await Network.make(t);
    const vm = await network.add('web-1');
    await vm.write('/root/clock.py', 'import time\nwhile True:\n    print(time.time(), time.monotonic(), flush=True)\n    time.sleep(.2)\n');
    await vm.write('/etc/systemd/system/clock.service', '[Service]\nDynamicUser=yes\nProtectSystem=strict\nNoNewPrivileges=yes\nExecStart=python3 /run/clock/clock.py\nRuntimeDirectory=clock\nExecStartPre=+cp /root/clock.py /run/clock/\n');
    await vm.boot();
    await vm.must('systemctl start clock');
    const last = async () => (await vm.journal('clock')).trim().split('\n').at(-1).split(' ').map(Number);
    const hoursAhead = async () => ((await last())[0] - Date.now() / 1000) / 3600;
    const showsHours = (hours) => eventually(`it is ${hours} h ahead`, async () => Math.abs(await hoursAhead() - hours) < 0.1, { within: 20_000 });
    await showsHours(0);
    await vm.shiftClock(3 * 86_400, 'clock');
    await showsHours(72);
    const pid = await vm.must('systemctl show -P MainPID clock');
    const [, monotonic] = await last();
    await vm.shiftClock(-5400, 'clock');
    await showsHours(-1.5);
    assert.equal(await vm.must('systemctl show -P MainPID clock'), pid, 'the same process');
    const [, later] = await last();
    assert.ok(later > monotonic && later - monotonic < 60, 'the monotonic clock does not jump');
    assert.ok(Math.abs(Number(await vm.must('date +%s')) - Date.now() / 1000) < 5, 'everybody else has the machine\'s time');
    await vm.shiftClock(0);
    await showsHours(0);
});

// For one test.
function nameFolderOfPackages(t, folder) {
    const before = process.env.SYNAPSEX_DEBS;
    const name = (value) => {
        if (value === undefined) delete process.env.SYNAPSEX_DEBS;
        else process.env.SYNAPSEX_DEBS = value;
    };
    name(folder);
    t.after(() => name(before));
}

test('a package is installed without a network, its dependencies being there; one that lacks some is refused', needsVms, async (t) => {
    const network = await Network.make(t);
    const vm = await network.boot('web-1');
    const folder = temporaryFolder();
    const build = async (name, depends) => {
        const at = join(folder, name);
        mkdirSync(join(at, 'DEBIAN'), { recursive: true });
        mkdirSync(join(at, 'lib/systemd/system'), { recursive: true });
        writeFileSync(join(at, 'DEBIAN/control'), `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDepends: ${depends}\nDescription: x\n`);
        writeFileSync(join(at, 'DEBIAN/postinst'), `#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl enable --now ${name}\n`, { mode: 0o755 });
        writeFileSync(join(at, `lib/systemd/system/${name}.service`), '[Service]\nExecStart=sleep infinity\nRestart=always\nRestartSec=100ms\n[Install]\nWantedBy=multi-user.target\n');
        const done = await run('dpkg-deb', ['--root-owner-group', '-b', at, join(folder, `${name}_1.0_all.deb`)]);
        assert.equal(done.code, 0, done.stderr);
    };
    await build('sx-good', 'libcurl4, libssl3, libsqlite3-0, zlib1g, libargon2-1, libprotobuf-lite32');
    await build('sx-poor', 'nginx');
    nameFolderOfPackages(t, folder);

    const file = await vm.copyIn(packageFile('sx-good'));
    await vm.must(`apt-get install -q -y ${file}`);
    assert.equal(await vm.must('systemctl is-active sx-good'), 'active');
    await vm.must('systemctl kill -s KILL sx-good');
    await eventually('systemd has started it again', async () =>
        await vm.must('systemctl show -P NRestarts sx-good') === '1' && await vm.must('systemctl is-active sx-good') === 'active');
    await vm.reboot();
    assert.equal(await vm.must('systemctl is-active sx-good'), 'active');

    const refused = await vm.run(`apt-get install -q -y ${await vm.copyIn(packageFile('sx-poor'))}`);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /sx-poor : Depends: nginx/);
    assert.throws(() => packageFile('sx-none'), /has 0 files sx-none_\*\.deb/);
});

test('without a folder of packages, stories about them say so', (t) => {
    nameFolderOfPackages(t, undefined);
    assert.match(whyNoPackages(), /SYNAPSEX_DEBS names no folder/);
    assert.throws(() => packageFile('synapsex-agent'), /SYNAPSEX_DEBS names no folder/);
});

test('a control plane that VMs reach over TLS, and the test in clear', { skip: whyNoVms() || whyNoPrograms() }, async (t) => {
    const network = await Network.make(t);
    const [plane, vm] = await Promise.all([network.controlPlane({ host: 'cp.example' }), network.boot('web-1')]);
    assert.equal(plane.vmUrl, 'https://cp.example:8443');
    await vm.write('/root/ca.crt', (await plane.run(['authority', 'show', ...plane.flags])).stdout);
    const readiness = ['python3', '-c', `import ssl, urllib.request
print(urllib.request.urlopen('${plane.vmUrl}/readyz', context=ssl.create_default_context(cafile='/root/ca.crt')).status)`];
    assert.equal(await vm.must(readiness), '200');
    assert.equal((await connect(vm, network.address, 8080)).how, 'ECONNREFUSED', 'in clear it is on loopback only');
    await plane.restart();
    assert.equal(await vm.must(readiness), '200');
    const { items } = await plane.must('GET', '/v1/vms');
    assert.deepEqual(items, []);
});

test('ten VMs at once', needsVms, async (t) => {
    await debianRoot('bookworm');
    const network = await Network.make(t);
    const start = Date.now();
    const all = await Promise.all(Array.from({ length: 10 }, (_, index) => network.boot(`vm-${index}`)));
    t.diagnostic(`${((Date.now() - start) / 1000).toFixed(1)} s until ten answer`);
    const ids = await Promise.all(all.map((vm) => vm.read('/etc/machine-id')));
    assert.equal(new Set(ids).size, 10);
    await serve(all[9], 'x');
    assert.equal((await connect(all[0], 'vm-9', 8000)).how, 'connected');
    const stopping = Date.now();
    await network.remove();
    t.diagnostic(`${((Date.now() - stopping) / 1000).toFixed(1)} s until all are gone`);
});

// --- what a run leaves ---

// A run of its own: a test that boots a VM and then does this.
async function otherRun(then, { folder = cache, by = [] } = {}) {
    const program = `
        import test from 'node:test';
        import { Network } from ${JSON.stringify(join(here, 'kit/network.mjs'))};
        test('another', async (t) => {
            const network = await Network.make(t);
            const vm = await network.boot('web-1');
            await network.gate(80);
            await vm.degrade({ delay: 1 });
            network.start('sleep', ['1000']);
            console.log('booted');
            ${then}
        });`;
    const [command, ...parameters] = [...by, process.execPath, '--input-type=module', '-e', program];
    const started = new Program(command, parameters, { env: { SYNAPSEX_VM_CACHE: folder }, name: 'another run' });
    started.run = `${started.pid}-${readFileSync(`/proc/${started.pid}/stat`, 'utf8').split(' ')[21]}`;
    started.folder = join(folder, 'runs', started.run);
    await eventually('it has booted', () => {
        if (!started.isRunning && !started.stdout.includes('booted')) throw Object.assign(new Error(started.tail()), { isFinal: true });
        return started.stdout.includes('booted');
    }, { within: 120_000 });
    return started;
}

// Everything on the machine that is of that run.
function tracesOf({ run: name, folder }) {
    const list = (at) => (existsSync(at) ? readdirSync(at) : []);
    const cgroups = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')).filter(([, , type]) => /^cgroup2?$/.test(type)).map(([, at]) => at);
    // What of a process tells whose it is; nothing if it is just ending.
    const told = (pid) => {
        try {
            return ['cmdline', 'cgroup'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ')).join(' ');
        } catch {
            return '';
        }
    };
    const processes = list('/proc').filter((pid) => /^\d+$/.test(pid) && isAlive(Number(pid)) && told(pid).includes(name));
    return [
        ...processes.map((pid) => `process ${pid}`),
        ...mountsBelow(folder).map((at) => `mount ${at}`),
        ...list('/run/netns').filter((at) => at.includes(name)).map((at) => `namespace ${at}`),
        ...cgroups.map((at) => join(at, 'synapsex-vm', name)).filter((at) => existsSync(at)),
        ...(existsSync(folder) ? [folder] : []),
        ...list('/run/systemd/nspawn/propagate').filter((at) => at.includes(name)),
    ];
}

// The kernel may still be burying killed processes.
const isGone = (other) => eventually('nothing is left', () => {
    const traces = tracesOf(other);
    if (traces.length > 0) throw new Error(traces.join('\n'));
    return true;
}, { within: 5000 });
// Of a run's one VM, which systemd-nspawn holds.
function lockOf({ folder }) {
    const { dev, ino } = statSync(join(folder, readdirSync(folder)[0], 'root'));
    return `/run/systemd/nspawn/locks/inode-${dev}:${ino}`;
}

test('what a killed run left is removed by the next; a living one is left alone', needsVms, async () => {
    const other = await otherRun('for (;;) console.log("it answers", await vm.must("sleep 0.1; hostname"));');
    const before = tracesOf(other);
    for (const kind of ['process', 'mount', 'namespace', '/sys', other.folder])
        assert.ok(before.some((trace) => trace.startsWith(kind)), `it has a ${kind}: ${before}`);
    assert.ok(!removeLeftovers().includes(other.run));
    const heard = other.stdout.length;
    await eventually('its VM answers still', () => other.stdout.slice(heard).includes('it answers web-1'));
    const isLasting = (trace) => !trace.startsWith('process');
    assert.deepEqual(tracesOf(other).filter(isLasting), before.filter(isLasting));

    const lock = lockOf(other);
    assert.ok(existsSync(lock), 'its disk has a lock');
    other.child.kill('SIGKILL');  // it alone, not its children
    await other.exited;
    removeLeftovers();
    await isGone(other);
    assert.ok(!existsSync(lock), 'the lock of its disk is gone');
    assert.deepEqual(removeLeftovers(), [], 'and that is all');
});

const waysToEnd = {
    'comes to its end': '',
    throws: 'throw new Error("on purpose");',
    'is ended by SIGTERM': 'process.kill(process.pid, "SIGTERM"); await new Promise(() => setInterval(() => {}, 1000));',
};
for (const [how, then] of Object.entries(waysToEnd))
    test(`a run that ${how} removes what it made`, needsVms, async () => {
        const other = await otherRun(then);
        assert.ok(await other.hasExited(60_000), other.tail());
        assert.equal(other.result.code, then ? 1 : 0, other.tail());
        await isGone(other);
    });

test('where the cache lies on an overlay, disks are plain copies', needsVms, async (t) => {
    await debianRoot('bookworm');
    const folder = temporaryFolder();
    const script = 'cd "$1" && mkdir upper work cache && mount -t overlay -o lowerdir="$2",upperdir=upper,workdir=work overlay cache && shift 2 && exec "$@"';
    const by = ['unshare', '--mount', 'sh', '-c', script, 'sh', folder, cache];  // what is mounted there goes with it
    const tried = await run(by[0], [...by.slice(1), 'true']);
    if (tried.code !== 0) return t.skip(`no overlayfs: ${tried.stderr}`);
    execFileSync('rm', ['-rf', '--one-file-system', ...['upper', 'work', 'cache'].map((name) => join(folder, name))]);
    const other = await otherRun('console.log("its disk is", await vm.must("stat -f -c %T /"), network.vms[0].isCopy);', { folder: join(folder, 'cache'), by });
    assert.ok(await other.hasExited(60_000), other.tail());
    assert.match(other.stdout, /its disk is overlayfs true/);
    assert.equal(other.result.code, 0, other.tail());
});

test('a root whose making is killed is not there, and nothing of the making runs on', needsVms, async () => {
    const folder = join(temporaryFolder(), 'roots', 'bookworm-1');
    const aside = join(dirname(folder), '.bookworm.new');
    const make = () => new Program(join(here, 'kit/make_root.sh'), ['bookworm', folder]);
    for (const attempt of [1, 2]) {
        const making = make();
        await eventually(`attempt ${attempt} is under way`, () => {
            if (!making.isRunning) throw Object.assign(new Error(making.tail()), { isFinal: true });
            return existsSync(join(aside, 'debootstrap')) && !existsSync(join(aside, 'mark'));
        }, { within: 60_000 });
        writeFileSync(join(aside, 'mark'), '');
        making.child.kill('SIGKILL');
        await making.exited;
        assert.ok(!existsSync(folder));
        await eventually('nobody holds the lock', async () =>
            (await run('flock', ['--nonblock', join(dirname(folder), 'bookworm.lock'), 'true'])).code === 0);
        assert.deepEqual(mountsBelow(dirname(folder)), []);
    }
});
