// The packages of a commit are the same bytes, whoever builds them and in whatever folder. A second
// build from nothing, without a cache of compilers: minutes, so only in a long run.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { debOf, names, whyNoPackages } from '../support/debian.mjs';
import { isLong, root, run, temporaryFolder } from '../support/processes.mjs';

const skip = whyNoPackages || (!isLong && 'builds everything anew: tests/run.sh --long packages');

test('a build in another folder gives the same bytes', { skip }, async () => {
    const checkout = join(temporaryFolder(), 'another', 'folder');
    mkdirSync(checkout, { recursive: true });
    const files = execFileSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { maxBuffer: 2 ** 26 })
        .toString().split('\0').filter((name) => name && existsSync(join(root, name)));
    for (const name of [...files, 'controlplane/services/api_gateway/viewer/node_modules'])
        cpSync(join(root, name), join(checkout, name), { recursive: true, preserveTimestamps: true });
    const epoch = execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }).trim();
    const done = await run(join(checkout, 'packaging', 'deb', 'build.sh'), [], {
        within: 2_400_000, env: { SOURCE_DATE_EPOCH: epoch, CCACHE_DISABLE: '1', TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' },
    });
    assert.equal(done.code, 0, (done.stdout + done.stderr).slice(-4000));
    for (const name of names) {
        const other = debOf(name, join(checkout, 'build', 'packages'));
        assert.ok(readFileSync(debOf(name)).equals(readFileSync(other)), `${name}: compare them with diffoscope`);
    }
});
