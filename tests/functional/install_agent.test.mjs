// What installers/install-agent.sh makes of its arguments, where nothing is installed. That it
// installs is told in tests/vm.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { root, run } from '../support/processes.mjs';

let controlPlane;
let printed;
before(async () => {
    controlPlane = await ControlPlane.start();
    const cli = new Cli(controlPlane);
    assert.equal((await cli.login(controlPlane.credentials)).code, 0);
    const done = await cli.run(['tokens', 'create', '--print', 'script', '--', '--name', 'web 1', '--proxy', 'http://proxy.example:3128']);
    assert.equal(done.code, 0, done.stderr);
    printed = done.stdout;
});
after(async () => { await controlPlane?.stop(); });

// In place of what it would do: says what it would have done.
const stub = `
check_machine() { :; }
take_lock() { :; }
make_work_folder() { :; }
uninstall_agent() { say "uninstall purge=$is_purge dry=$is_dry_run"; }
install_agent() { say "install url=$url name=$name proxy=$proxy"; }
`;
const plain = readFileSync(join(root, 'installers', 'install-agent.sh'), 'utf8');
function call(script, ...words) {
    const at = script.lastIndexOf('\nmain ');
    assert.ok(at > 0);
    return run('sh', ['-s', '--', ...words], { input: `${script.slice(0, at)}${stub}${script.slice(at)}` });
}

test('a script that was printed installs, and uninstalls as well', async () => {
    const installs = await call(printed, '--name', 'web 2');
    assert.deepEqual([installs.code, installs.stdout], [0, `install url=${controlPlane.url} name=web 2 proxy=http://proxy.example:3128\n`], installs.stderr);
    const removes = await call(printed, '--uninstall');
    assert.deepEqual([removes.code, removes.stdout], [0, 'uninstall purge=no dry=no\n'], removes.stderr);
    const purges = await call(printed, '--uninstall', '--purge', '--dry-run');
    assert.deepEqual([purges.code, purges.stdout], [0, 'uninstall purge=yes dry=yes\n'], purges.stderr);
    const other = await call(printed, '--purge', '--uninstall');
    assert.deepEqual([other.code, other.stdout], [0, 'uninstall purge=yes dry=no\n'], other.stderr);
});

test('what makes no sense is refused with a sentence', async () => {
    for (const script of [printed, plain])
        for (const [words, said] of [
            [['--uninstall', '--name', 'x'], /after --uninstall come --purge and --dry-run alone/],
            [['--purge'], /--purge goes with --uninstall/],
            [['--nonsense'], /there is no option --nonsense/],
            [['--name'], /--name takes a value/],
            [['--url', 'http://cp.example.com'], /http:\/\/ is allowed only to this machine itself/],
        ]) {
            const done = await call(script, ...words);
            assert.equal(done.code, 2, `${words}: ${done.stdout}${done.stderr}`);
            assert.match(done.stderr, said);
            assert.equal(done.stdout, '');
        }
});
