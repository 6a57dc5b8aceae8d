// A copy of the checkout as it stands, committed or not. Files that have not changed are not touched,
// so a build of the copy does only what is new.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function copyCheckout(from, to) {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        { cwd: from, encoding: 'utf8', maxBuffer: 64 << 20 }).split('\0').filter(Boolean);
    const files = new Set(listed.filter((path) => existsSync(join(from, path))));
    for (const path of files) {
        const source = join(from, path);
        const target = join(to, path);
        const bytes = readFileSync(source);
        if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, bytes, { mode: statSync(source).mode });
    }
    for (const path of readdirSync(to, { recursive: true }))
        if (!files.has(path) && statSync(join(to, path)).isFile()) rmSync(join(to, path));
}
