// Whether a secret is seen in a VM where others could look: in what processes are called with or
// have in their environment, while something happens; and afterwards in logs and files.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { temporaryFolder } from '../../support/processes.mjs';

const folder = '/usr/lib/synapsex-test';

// Its end() says where it was seen until then: by a library that looks at the start of every program,
// and, for those that may not write it down, in all processes that are running.
export async function watchSecret(vm, secret) {
    const library = join(temporaryFolder(), 'secret_watch.so');
    await vm.network.command('cc', '-O2', '-shared', '-fPIC', '-o', library, join(dirname(fileURLToPath(import.meta.url)), 'secret_watch.c'));
    await vm.copyIn(library, folder);
    await vm.write(`${folder}/secret`, secret);
    await vm.write('/etc/ld.so.preload', `${folder}/secret_watch.so\n`);
    return {
        async end() {
            const running = await vm.run(`grep -laF -f ${folder}/secret /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null`);
            const started = await vm.run('cat /run/synapsex-test-seen');
            await vm.must(`rm -rf /etc/ld.so.preload /run/synapsex-test-seen ${folder}`);
            return (running.stdout + started.stdout).split('\n').filter(Boolean);
        },
    };
}

// Files that have it, logs among them.
export async function filesWith(vm, secret, places = '/etc /root /tmp /run /var') {
    await vm.must('journalctl --sync');
    const found = await vm.run(`grep -rlaF -f - --exclude-dir=dev ${places}`, { input: secret, within: 60_000 });
    return found.stdout.split('\n').filter(Boolean);
}
