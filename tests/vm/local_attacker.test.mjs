// A local user of the VM, and a worker that was taken over, gain nothing: neither the agent's
// secrets nor root's rights, nor the executor's time. Each attempt is real: in a booted VM with the
// installed package and an enrolled agent.

import assert from 'node:assert/strict';
import test from 'node:test';

import { eventually } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';

const whyNot = whyNoVms() || whyNoPackages() || whyNoPrograms();
const agentUser = 'synapsex-agent';
const dataDir = '/var/lib/synapsex/agent';

// Python as that user. What it prints.
const python = (vm, user, code, ...words) => vm.must(['python3', '-c', code, ...words], { user, within: 60_000 });

// Tries each of the expressions; those that did not fail, or not for want of rights.
async function succeeded(vm, user, attempts) {
    const code = `import ctypes, errno, os, shutil, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def write(path, how='w'):
    with open(path, how) as file: file.write('mallory')
def read(path):
    with open(path, 'rb') as file: return file.read(16)
def connect(path):
    with socket.socket(socket.AF_UNIX) as one: one.connect(path)
def ptrace(pid):
    if libc.ptrace(16, pid, None, None) == 0:
        os.waitpid(pid, 0); libc.ptrace(17, pid, None, None); return
    raise OSError(ctypes.get_errno(), 'ptrace')
for attempt in sys.argv[1:]:
    try:
        eval(attempt)
        print(attempt)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM): print(attempt, error)`;
    return (await python(vm, user, code, ...attempts)).split('\n').filter(Boolean);
}

const sha = (vm, path) => vm.must(`sha256sum <${path}`);
const pidOf = async (vm, unit) => Number(await vm.must(`systemctl show --property=MainPID --value ${unit}`));
const statusOf = async (vm) => JSON.parse((await vm.run(['timeout', '20', 'synapsex-agent', 'status', '--json'])).stdout);

// The executor's socket: an idle connection, or a request; what is answered.
const askExecutor = `import socket, sys, time
def ask(request, seconds=8):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(seconds)
        one.connect('/run/synapsex/executor.sock')
        one.sendall(request)
        answer = b''
        while block := one.recv(4096): answer += block
        return answer
frame = lambda body: len(body).to_bytes(4, 'little') + body
status, restart = frame(b'\\x0a\\x00'), frame(b'\\x12\\x00')
`;

async function enrolled(network, plane) {
    const vm = await network.boot('web-1');
    await vm.must('useradd --create-home mallory');
    const deb = await vm.copyIn(packageFile('synapsex-agent'));
    await vm.must(`umask 000 && apt-get install -y ${deb}`);
    const { token } = await plane.enrollmentToken({ name: 'web-1' });
    await vm.write('/etc/synapsex/enrollment-token', `${token}\n`, { mode: '600' });
    await vm.write('/etc/synapsex/agent.toml', `url = "${plane.vmUrl}"\ntoken_file = "/etc/synapsex/enrollment-token"\nlog_level = "debug"\n`);
    await vm.must('systemctl restart synapsex-agent');
    await plane.online('web-1');
    return { vm, secret: token.split('.')[1] };
}

test('a local user and a worker that was taken over gain nothing', { skip: whyNot }, async (t) => {
    const network = await Network.make(t);
    const plane = await network.controlPlane();
    const { vm, secret } = await enrolled(network, plane);
    const worker = await pidOf(vm, 'synapsex-agent');
    const executor = await pidOf(vm, 'synapsex-executor');
    const key = await sha(vm, `${dataDir}/agent.key`);
    await vm.write('/etc/victim', 'of root', { mode: '600' });
    const isVictimWhole = async () => assert.equal(await vm.must('stat -c "%a %U" /etc/victim; cat /etc/victim'), '600 root\nof root');

    await t.test('an installation under umask 000 leaves nothing that others may write to, and nothing setuid', async () => {
        const loose = await vm.must('{ dpkg -L synapsex-agent; find /etc/synapsex /var/lib/synapsex /run/synapsex; } | sort -u | grep -E synapsex | while read -r path; do find "$path" -maxdepth 0 ! -type l -perm /6002; done');
        assert.equal(loose, '');
        assert.equal(await vm.must(`stat -c '%a %U' /etc/synapsex ${dataDir} /run/synapsex ${dataDir}/agent.key`), `755 root\n700 ${agentUser}\n1770 root\n600 ${agentUser}`);
    });
    await t.test('maintainer scripts use no temporary file of a name that others know', async () => {
        assert.equal((await vm.run('grep -nE "/tmp|/dev/shm|mktemp|tempfile|debconf" /var/lib/dpkg/info/synapsex-agent.p* /usr/libexec/synapsex/prepare-agent')).stdout, '');
    });
    await t.test('the token is gone from where root put it, and stands in no environment, command line or log', async () => {
        assert.equal((await vm.run(`ls /etc/synapsex/enrollment-token ${dataDir}/enrollment-token`)).stdout, '');
        for (const pid of [worker, executor]) assert.ok(!(await vm.must(`cat /proc/${pid}/environ /proc/${pid}/cmdline`)).includes(secret));
        assert.ok(!(await vm.journal('synapsex-agent')).includes(secret));
    });

    // --- an unprivileged user ---

    await t.test('mallory: neither reads nor writes, links or replaces what is the agent\'s', async () => {
        const paths = ['/run/synapsex/executor.sock', '/run/synapsex/worker.pid', '/run/synapsex/executor.lock', `${dataDir}/agent.key`, `${dataDir}/identity.json`, `${dataDir}/spool.db`];
        assert.deepEqual(await succeeded(vm, 'mallory', [
            ...paths.flatMap((path) => [`read('${path}')`, `write('${path}')`, `os.unlink('${path}')`, `os.link('${path}', '/home/mallory/linked')`, `os.rename('${path}', '/home/mallory/taken')`]),
            ...['/etc/synapsex/enrollment-token', '/run/synapsex/new', `${dataDir}/new`].flatMap((path) => [`write('${path}')`, `os.symlink('/etc/victim', '${path}')`]),
            ...['/etc/synapsex/agent.toml', '/usr/libexec/synapsex/synapsex-agent', '/usr/libexec/synapsex/prepare-agent'].flatMap((path) => [`write('${path}', 'a')`, `os.unlink('${path}')`]),
            `os.listdir('${dataDir}')`, "os.listdir('/run/synapsex')", `os.chmod('${dataDir}', 0o777)`, "os.rename('/etc/synapsex', '/etc/mallory')", "shutil.rmtree('/run/synapsex')",
        ]), []);
    });
    await t.test('mallory: does not reach the executor', async () => {
        assert.deepEqual(await succeeded(vm, 'mallory', ["connect('/run/synapsex/executor.sock')"]), []);
    });
    await t.test('mallory: sees no memory or environment of either process, and signals neither', async () => {
        assert.deepEqual(await succeeded(vm, 'mallory', [worker, executor].flatMap((pid) => [
            ...['mem', 'environ', 'maps'].map((name) => `read('/proc/${pid}/${name}')`),
            ...['exe', 'cwd'].map((name) => `os.readlink('/proc/${pid}/${name}')`),
            `os.listdir('/proc/${pid}/fd')`, `ptrace(${pid})`, `os.kill(${pid}, 0)`, `os.kill(${pid}, signal.SIGKILL)`,
        ])), []);
    });
    await t.test('mallory: does not pause, resume, restart or configure the agent', async () => {
        for (const words of ['synapsex-agent pause', 'synapsex-agent resume', 'synapsex-agent status', 'synapsex-agent test-connection'])
            assert.match((await vm.run(`${words} 2>&1`, { user: 'mallory' })).stdout, /Only root and the agent's user, synapsex-agent, may/);
        for (const words of ['systemctl restart synapsex-agent', 'systemctl set-environment LD_PRELOAD=/home/mallory/x.so', 'systemctl kill synapsex-executor'])
            assert.notEqual((await vm.run(`${words} </dev/null`, { user: 'mallory' })).code, 0, words);
        assert.equal((await statusOf(vm)).paused, null);
    });
    await t.test('mallory: lays links where root is to write a bundle: it is refused, and nothing is written', async () => {
        await python(vm, 'mallory', `import os, time
for second in range(180):
    name = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(time.time() + second - 5))
    os.symlink('/etc/made-by-root', f'/tmp/synapsex-agent-diag-{name}.tar.gz')
os.symlink('/etc', '/tmp/folder')`);
        const named = await vm.run('cd /tmp && synapsex-agent diag');
        assert.equal(named.code, 1, named.stdout);
        assert.match(named.stderr, /exists; it is not written over/);
        const through = await vm.run('synapsex-agent diag --output /tmp/folder/made-by-root');
        assert.equal(through.code, 1, through.stdout);
        assert.match(through.stderr, /symbolic link/);
        assert.notEqual((await vm.run('ls /etc/made-by-root')).code, 0);
    });
    await t.test('mallory: has no part of a bundle that root has written to /tmp', async () => {
        await vm.must('umask 000; synapsex-agent diag --output /tmp/bundle.tar.gz');
        assert.deepEqual(await succeeded(vm, 'mallory', ["read('/tmp/bundle.tar.gz')", "write('/tmp/bundle.tar.gz')", "os.unlink('/tmp/bundle.tar.gz')", "os.rename('/tmp/bundle.tar.gz', '/tmp/mine')"]), []);
        assert.match(await vm.must('tar -xzOf /tmp/bundle.tar.gz --wildcards "*/units.txt"'), /MainPID=\d+/);
        assert.match(await vm.must('tar -xzOf /tmp/bundle.tar.gz --wildcards "*/journal-synapsex-agent*"'), /agent started/);
        const all = await vm.must('tar -xzOf /tmp/bundle.tar.gz');
        for (const word of [secret, (await vm.must(`sed -n 2p ${dataDir}/agent.key`))]) assert.ok(!all.includes(word));
    });
    await t.test('mallory: a PATH that leads to her programs leads root\'s commands nowhere', async () => {
        await vm.must('mkdir -p ~/bin && for name in journalctl systemctl sh tar; do printf "#!/bin/sh\\ntouch /tmp/ran-$$\\n" >~/bin/$name; chmod 755 ~/bin/$name; done', { user: 'mallory' });
        await vm.must('export PATH=$(getent passwd mallory | cut -d: -f6)/bin:$PATH HOME=/home/mallory; /usr/bin/synapsex-agent diag --output /root/x.tar.gz && /usr/bin/synapsex-agent status && /usr/bin/synapsex-agent test-connection');
        assert.equal((await vm.run('ls /tmp/ran-*')).stdout, '');
    });

    // --- the worker, taken over: the agent's own user, without its sandbox ---

    await t.test('the worker: keeps root from no answer of the executor by connections that say nothing', async () => {
        await vm.write('/srv/hog.py', `${askExecutor}
held = []
while True:
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(2)
    try:
        one.connect("/run/synapsex/executor.sock")
        held.append(one)
    except OSError: pass
    held = held[-60:]
    time.sleep(0.02)
`);
        await vm.must(`systemd-run --quiet --unit=hog --uid=${agentUser} python3 /srv/hog.py`);
        await eventually('it holds many', async () => (await vm.must('ss -x | grep -c executor.sock || true')) > 3, { every: 200 });
        for (let i = 0; i < 10; ++i) assert.equal((await statusOf(vm)).executor?.pid, executor, 'root is answered');
        await vm.must('systemctl stop hog');
    });
    await t.test('the worker: nonsense on the socket ends that connection and nothing else', async () => {
        const said = await python(vm, agentUser, `${askExecutor}
for bad in (b'', b'\\xff' * 4, b'\\xff' * 70000, frame(b''), frame(b'\\xff' * 100), frame(b'\\x1a\\x00'), frame(b'\\x12\\x04/etc')):
    try: print(len(ask(bad)) if bad else 'none')
    except OSError as error: print('closed')`);
        assert.equal(said.split('\n').length, 7);
        assert.equal((await statusOf(vm)).executor.pid, executor);
    });
    await t.test('the worker: a forged pid file makes root signal nobody', async () => {
        await vm.must(`systemd-run --quiet --unit=victim sleep 600; systemd-run --quiet --unit=own --uid=${agentUser} sleep 600`);
        const pids = [1, executor, await pidOf(vm, 'victim'), await pidOf(vm, 'own'), -1, 0, 99999999];
        const forged = [...pids.map((pid) => `echo ${pid} >$f`), 'ln -s /etc/victim $f', 'mkfifo $f', 'mkdir $f', 'ln -s /proc/1/stat $f'];
        for (const how of forged) {
            await vm.must(`f=/run/synapsex/worker.pid; rm -rf $f; ${how}`, { user: agentUser });
            const answer = await python(vm, agentUser, `${askExecutor}
print(ask(restart))`);
            assert.match(answer, /worker_(unknown|untrusted)/, how);
        }
        for (const unit of ['victim', 'own']) assert.equal(await vm.must(`systemctl is-active ${unit}`), 'active');
        await vm.must(`rm -rf /run/synapsex/worker.pid; echo ${worker} >/run/synapsex/worker.pid`, { user: agentUser });
        assert.equal((await statusOf(vm)).executor.workerPid, worker);
    });
    await t.test('the worker: takes away neither socket nor lock of the executor, and writes nowhere but in its own places', async () => {
        assert.deepEqual(await succeeded(vm, agentUser, [
            ...['executor.sock', 'executor.lock'].flatMap((name) => [`os.unlink('/run/synapsex/${name}')`, `os.rename('/run/synapsex/${name}', '/run/synapsex/gone')`]),
            "os.chmod('/run/synapsex', 0o777)", "os.chmod('/run/synapsex/executor.sock', 0o666)", "write('/run/synapsex/executor.lock')",
            ...['/etc/synapsex/agent.toml', '/usr/libexec/synapsex/synapsex-executor', '/usr/libexec/synapsex/prepare-agent'].map((path) => `write('${path}', 'a')`),
            "write('/etc/synapsex/new')", "write('/var/lib/synapsex/new')", `os.rename('${dataDir}', '/var/lib/synapsex/x')`, "read('/etc/victim')",
        ]), []);
    });
    await t.test('the worker: sees no memory of the executor and does not signal it; nor does another process of its user look into the worker', async () => {
        assert.deepEqual(await succeeded(vm, agentUser, [
            ...[worker, executor].flatMap((pid) => [...['mem', 'environ', 'maps'].map((name) => `read('/proc/${pid}/${name}')`), `ptrace(${pid})`]),
            `os.kill(${executor}, 0)`, `os.kill(${executor}, signal.SIGKILL)`,
        ]), []);
    });
    await t.test('no core dump of either process is written', async () => {
        for (const pid of [worker, executor]) assert.match(await vm.must(`grep 'Max core file size' /proc/${pid}/limits`), /size +0 +0 /);
    });
    await t.test('the worker: many files in the run directory do not keep the executor from its work, also after a restart', async () => {
        await python(vm, agentUser, `import os
for i in range(5000): os.close(os.open(f'/run/synapsex/x{i}', os.O_CREAT))`);
        await vm.must('systemctl restart synapsex-executor');
        await eventually('it answers', async () => (await statusOf(vm)).executor);
        await vm.must('find /run/synapsex -name "x*" -delete');
    });
    await t.test('the worker: links and pipes in its directory lead root\'s commands nowhere and hang none', async () => {
        const traps = ['ln -s /etc/victim', 'ln -s /etc/shadow', 'mkfifo', 'ln -s /dev/zero', 'mkdir'];
        for (const name of ['identity.json', 'pause', 'pause.new', 'agent.key', 'enrollment-token'])
            for (const trap of traps) {
                await vm.must(`cd ${dataDir}; [ ! -e ${name} ] || mv ${name} kept; ${trap} ${name}`, { user: agentUser });
                for (const command of ['status', 'pause', 'resume', 'test-connection', 'diag --output /root/y.tar.gz']) {
                    const done = await vm.run(`timeout 40 synapsex-agent ${command}; code=$?; rm -f /root/y.tar.gz; exit $code`);
                    assert.notEqual(done.code, 124, `${trap} ${name}: ${command} hangs`);
                    assert.doesNotMatch(done.stdout + done.stderr, /of root|root:[*!$]/, `${trap} ${name}: ${command}`);
                }
                await vm.must(`cd ${dataDir}; rm -rf ${name} pause pause.new; [ ! -e kept ] || mv kept ${name}`, { user: agentUser });
                await isVictimWhole();
            }
    });
    await t.test('the worker: a link where root hands the token over is written to by nobody but the agent\'s user', async () => {
        await vm.must(`cd ${dataDir}; mv identity.json kept; ln -s /etc/made-by-root enrollment-token.new; ln -s /etc/victim enrollment-token`, { user: agentUser });
        await vm.write('/etc/synapsex/enrollment-token', 'sxe_not_a_token\n', { mode: '600' });
        await vm.run('/usr/libexec/synapsex/prepare-agent take-token');
        assert.notEqual((await vm.run('ls /etc/made-by-root')).code, 0);
        await isVictimWhole();
        await vm.must(`cd ${dataDir}; rm -f enrollment-token enrollment-token.new; mv kept identity.json; rm -f /etc/synapsex/enrollment-token`);
    });
    await t.test('mallory: a token in her home that turns into a link at the right moment gets root to read or erase nothing', async () => {
        await vm.must(`cd ${dataDir}; mv identity.json kept`, { user: agentUser });
        await vm.must("sed -i 's|^token_file.*|token_file = \"/home/mallory/token\"|' /etc/synapsex/agent.toml");
        await vm.must(`systemd-run --quiet --unit=flip --uid=mallory python3 -c '
import os
os.chdir("/home/mallory")
while True:
    with open("new", "w") as file: file.write("mine")
    os.rename("new", "token")
    os.symlink("/etc/victim", "new")
    os.rename("new", "token")'`);
        for (let i = 0; i < 25; ++i) {
            await vm.run('/usr/libexec/synapsex/prepare-agent take-token');
            assert.doesNotMatch((await vm.run(`cat ${dataDir}/enrollment-token`)).stdout, /of root/);
            await isVictimWhole();
        }
        await vm.must('systemctl stop flip');
        await vm.must(`cd ${dataDir}; rm -f enrollment-token; mv kept identity.json; chown ${agentUser}: identity.json`);
    });
    await t.test('and after all that it is the same agent, which is online', async () => {
        assert.equal(await sha(vm, `${dataDir}/agent.key`), key);
        assert.equal(await pidOf(vm, 'synapsex-agent'), worker);
        await vm.must('systemctl restart synapsex-agent');
        const before = (await plane.vm('web-1')).agentId;
        await plane.online('web-1');
        assert.equal((await plane.vm('web-1')).agentId, before);
        assert.equal((await plane.must('GET', '/v1/vms')).items.length, 1);
    });
});
