// Whether a secret is seen in a VM where others could look: in what processes are called with or
// have in their environment, while something happens; and afterwards in logs and files.

const watcher = `import os, sys, time
secret = open('/root/watched-secret', 'rb').read()
print('watches', flush=True)
while True:
    for pid in filter(str.isdigit, os.listdir('/proc')):
        for what in ('cmdline', 'environ'):
            try:
                text = open(f'/proc/{pid}/{what}', 'rb').read()
            except OSError:
                continue
            if secret in text:
                print('seen in', what, 'of', open(f'/proc/{pid}/comm').read().strip(), flush=True)
    time.sleep(.002)
`;

// {seen, end}: seen() is what was seen so far; end() stops it, too.
export async function watchSecret(vm, secret) {
    await vm.write('/root/watched-secret', secret, { mode: '600' });
    await vm.write('/root/watcher.py', watcher);
    await vm.must('systemd-run --quiet --collect --unit=secret-watch python3 /root/watcher.py');
    await vm.must('until journalctl --quiet --unit=secret-watch | grep -q watches; do sleep .05; done');
    const seen = async () => (await vm.must('journalctl --quiet --output=cat --unit=secret-watch')).split('\n').filter((line) => line.startsWith('seen'));
    return {
        seen,
        async end() {
            await vm.must('systemctl stop secret-watch');
            return seen();
        },
    };
}

// Files that have it, logs among them.
export async function filesWith(vm, secret, places = '/etc /root /tmp /run /var') {
    await vm.must('journalctl --sync');
    const found = await vm.run(`grep -rlaF -f - --exclude=watched-secret --exclude-dir=dev ${places}`, { input: secret, within: 60_000 });
    return found.stdout.split('\n').filter(Boolean);
}
