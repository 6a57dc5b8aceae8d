// Style that a formatter cannot hold: banned calls with their replacement, sizes, the co_await rule.

import assert from 'node:assert/strict';
import test from 'node:test';

import { code, files, glob, product, read, withoutComments } from './source_tree.mjs';

const banned = [
    { call: /\b(system_clock|steady_clock|high_resolution_clock)::now\(/, instead: 'Clock&', owners: ['shared/base/time.cpp', 'tests/**'] },
    { call: /\bstd::random_device\b|\bstd::mt19937|\brand\(\)/, instead: 'Random&', owners: ['tests/**'] },
    { call: /\bgetenv\(/, instead: 'the typed configuration', owners: ['controlplane/main.cpp', 'controlplane/cli/**', 'agent/main.cpp', 'agent/**/main.cpp', 'agent/**/surroundings.cpp', 'agent/config.cpp', 'agent/worker/config.cpp', 'agent/**/options.cpp', 'shared/net/curl_http_client.cpp', 'tests/**'] },
    { call: /\bsleep_for\(|\bsleep_until\(|\busleep\(|\bnanosleep\(/, instead: 'a wait that can be woken', owners: ['tests/**'] },
    { call: /\bstd::(cout|cerr|clog)\b/, instead: 'log_info, or the terminal of the CLI', owners: ['controlplane/cli/**', 'tests/**'] },
    { call: /\bstd::async\(|\.detach\(\)/, instead: 'a thread or task with an owner', owners: [] },
    { call: /\b(EVP_DigestSign|EVP_DigestVerify)/, instead: 'shared/crypto/ed25519.hpp', owners: ['shared/crypto/ed25519.cpp', 'shared/crypto/time_proof.cpp'] },
    { call: /\bEd25519Key\b/, instead: 'crypto::Signer, from a crypto::KeyStore: the key may be in another place than a file', owners: ['shared/crypto/**', 'agent/**', 'controlplane/services/*/*_fixture.hpp'] },
    { call: /\bload_pem_file\(|\b(read|make)_key_file\(/, instead: 'crypto::KeyStore', owners: ['shared/crypto/**', 'agent/worker/identity_store.cpp', 'agent/worker/agent_key_files.cpp'] },
    { call: /\bFileKeyStore\b/, instead: 'crypto::KeyStore; which one it is, the programs decide', owners: ['shared/crypto/**', 'controlplane/app/*.cpp'] },
    { call: /\bssl::stream\b/, instead: 'the transport of platform/http', owners: [] },
    { call: /\bsqlite3_interrupt\(/, instead: 'a progress handler on readers; never on the writer', owners: ['shared/sqlite/**'] },
    { call: /\bstd::(regex|stoi|stol|stoll|atoi)\b/, instead: 'std::from_chars: bounded, no exceptions, no locale', owners: ['tests/**'] },
    { call: /\bsystem\(|\bpopen\(/, instead: 'execve with a list of arguments', owners: ['tests/**'], except: /Call(::| )system\(/ },
    { call: /\bstrcpy\(|\bstrcat\(|\bsprintf\(|\bgets\(/, instead: 'std::string', owners: [] },
];

for (const rule of banned) {
    test(`${rule.call.source} is not called; use ${rule.instead}`, () => {
        const wrong = [];
        for (const path of product) {
            if (rule.owners.some((pattern) => glob(pattern).test(path))) continue;
            withoutComments(read(path)).split('\n').forEach((line, index) => {
                if (rule.except?.test(line)) return;
                if (rule.call.test(line)) wrong.push(`${path}:${index + 1}: ${line.trim()}`);
            });
        }
        assert.deepEqual(wrong, [], `use ${rule.instead}`);
    });
}

test('lines have at most 100 columns', () => {
    const wrong = [];
    for (const path of code)
        read(path).split('\n').forEach((line, index) => {
            if ([...line].length > 100) wrong.push(`${path}:${index + 1}`);
        });
    assert.deepEqual(wrong, []);
});

test('files have at most 500 lines, tests 800', () => {
    const wrong = code
        .map((path) => [path, read(path).split('\n').length])
        .filter(([path, lines]) => lines > (/_test\.cpp$|^tests\//.test(path) ? 800 : 500));
    assert.deepEqual(wrong, [], 'a file this long is two things: split it');
});

// A function is a body whose opening brace ends a line that began in column 0 and is no namespace,
// type or initializer; it ends at the brace in column 0.
test('functions have at most 70 lines', () => {
    const wrong = [];
    for (const path of product) {
        const lines = withoutComments(read(path)).split('\n');
        let start = -1;
        let heading = '';
        lines.forEach((line, index) => {
            if (/^[^\s#}].*/.test(line)) heading = line;
            if (/^[^\s#}].*\{$|^\) .*\{$|^\)?.*-> .*\{$/.test(line) && !/^(namespace|struct|class|enum|union|extern|template <>)/.test(heading) && !/=\s*[\w:<>{ ]*\{+$/.test(line)) start = index;
            if (/^\}/.test(line) && start >= 0) {
                if (index - start > 70) wrong.push(`${path}:${start + 1}: ${index - start} lines`);
                start = -1;
            }
        });
    }
    assert.deepEqual(wrong, []);
});

// g++ 12.2 destroys some temporaries twice when they share a full expression with co_await.
test('no braces and no capturing lambda inside a co_await expression', () => {
    const wrong = [];
    for (const path of code) {
        const text = withoutComments(read(path));
        for (const match of text.matchAll(/\bco_await\b/g)) {
            // To the end of the full expression.
            let depth = 0;
            let end = match.index;
            for (; end < text.length; ++end) {
                if (text[end] === '(') ++depth;
                if (text[end] === ')' && --depth < 0) break;
                if (depth <= 0 && (text[end] === ';' || text[end] === '{')) break;
            }
            const expression = text.slice(match.index, end);
            // After the closing parenthesis of an if or while comes its body, which is no part of it.
            if (/\{|\[[^\]]+\]\s*\(/.test(expression))
                wrong.push(`${path}:${text.slice(0, match.index).split('\n').length}`);
        }
    }
    assert.deepEqual(wrong, [], 'name the value first, then move it in');
});

test('every header starts with #pragma once and says what it is for', () => {
    const wrong = code.filter((path) => path.endsWith('.hpp') && !read(path).startsWith('#pragma once\n'));
    assert.deepEqual(wrong, []);
    const silent = product
        .filter((path) => path.endsWith('.hpp') && read(path).split('\n').length > 40)
        .filter((path) => !/\/\/ /.test(read(path)));
    assert.deepEqual(silent, [], 'headers promise');
});

test('nothing is called util, helper, manager, common or misc', () => {
    const wrong = files.filter((path) => /(^|[/_.])(util|utils|helper|helpers|manager|common|misc)([/_.]|$)/.test(path));
    assert.deepEqual(wrong, [], 'name it by what it does');
});

test('every header and source is used by another file or by a build file', () => {
    const everything = new Set(code.flatMap((path) => [...read(path).matchAll(/#include\s+"([^"]+)"/g)].map((match) => match[1])));
    const builds = files.filter((path) => path.endsWith('CMakeLists.txt')).map(read).join('\n');
    const dead = code.filter((path) => {
        const name = path.split('/').pop();
        if (path.startsWith('controlplane/services/_template/')) return false;
        return path.endsWith('.hpp') ? !everything.has(path) : !builds.includes(name);
    });
    assert.deepEqual(dead, []);
});

test('no TODO without an issue, no machine path, no leftover of a merge', () => {
    const wrong = [];
    for (const path of files.filter((name) => !/package-lock\.json$|\.png$|^LICENSE$/.test(name)))
        read(path).split('\n').forEach((line, index) => {
            if (/\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(line) && !/tidy\.test\.mjs$/.test(path) && !/mkdtemp|XXXXXX|mktemp/.test(line))
                wrong.push(`${path}:${index + 1}: ${line.trim()}`);
            if (/^(<<<<<<<|>>>>>>>) /.test(line)) wrong.push(`${path}:${index + 1}: merge`);
        });
    assert.deepEqual(wrong, []);
});
