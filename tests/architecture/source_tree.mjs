// The project's source files, as the architecture tests look at them.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

// Every file that is, or is about to be, part of the project; paths from its root.
export const files = execFileSync(
    'git', ['ls-files', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
).split('\n').filter(Boolean);

const cache = new Map();
export function read(path) {
    if (!cache.has(path)) cache.set(path, readFileSync(join(root, path), 'utf8'));
    return cache.get(path);
}

export const isCode = (path) => /\.(cpp|hpp)$/.test(path);
export const isTest = (path) =>
    /_test\.cpp$|^tests\/|_test_support\.[ch]pp$|\/(fake|fixture|test)_[a-z_]+\.(hpp|cpp)$/.test(path);
export const code = files.filter(isCode);
export const product = code.filter((path) => !isTest(path));

// Text with comments and string contents blanked, line breaks kept: what a rule about code reads.
export function withoutComments(text) {
    return text.replace(
        /R"(\w*)\(([\s\S]*?)\)\1"|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
        (found) => {
            const blank = found.replace(/[^\n]/g, ' ');
            return found.startsWith('/') ? blank : `"${blank.slice(1, -1)}"`;
        },
    );
}

export function includesOf(path) {
    return [...read(path).matchAll(/^#include\s+["<]([^">]+)[">]/gm)].map((match) => match[1]);
}

// "**" is any path, "*" any name.
export function glob(pattern) {
    const body = pattern.split(/(\*\*|\*)/).map((part) => {
        if (part === '**') return '.*';
        if (part === '*') return '[^/]*';
        return part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    }).join('');
    return new RegExp(`^${body}$`);
}
