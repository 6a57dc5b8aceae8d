// The golden table of the services (services.json) against what the binary hosts and what the
// documents say.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { files, read, root } from './source_tree.mjs';

const golden = JSON.parse(read('tests/architecture/services.json'));
const built = golden.filter((service) => service.state === 'built');
const folder = (service) => service.name.replace(/-service$/, '').replaceAll('-', '_');

const binary = join(process.env.SYNAPSEX_BIN ?? join(root, 'build/ci/bin'), 'synapsex-controlplane');
const needsBinary = existsSync(binary) ? {} : { skip: `${binary} is not built` };

test('every service has a name and a port of its own', () => {
    assert.equal(new Set(golden.map((service) => service.name)).size, golden.length);
    assert.equal(new Set(golden.map((service) => service.port)).size, golden.length);
    for (const free of [8010, 8013, 8016, 8017])
        assert.ok(!golden.some((service) => service.port === free), `${free} stays free`);
});

const moduleOf = (path) => {
    const text = read(`controlplane/services/${path}/module.cpp`);
    return Object.fromEntries([...text.matchAll(/^ +\.(name|port|table_prefix) = ("?)([\w-]*)\2,$/gm)].map(([, key, , value]) => [key, value]));
};

test('module.cpp of a built service has its name, port and table prefix', () => {
    for (const service of built) {
        const { name, port, table_prefix: prefix = '' } = moduleOf(folder(service));
        assert.equal(name, service.name, `controlplane/services/${folder(service)}/module.cpp: name`);
        assert.equal(Number(port), service.port, `controlplane/services/${folder(service)}/module.cpp: port`);
        assert.ok(prefix === '' || prefix === `${folder(service)}_`, `controlplane/services/${folder(service)}/module.cpp: table_prefix is ${prefix}`);
    }
});

test('nothing of the template is left in a service that was copied from it', () => {
    const { port } = moduleOf('_template');
    assert.ok(!golden.some((service) => service.port === Number(port)), `${port} is the template's port: choose one of your own`);
    const wrong = files
        .filter((path) => path.startsWith('controlplane/services/') && !path.startsWith('controlplane/services/_template/'))
        .filter((path) => /\.(cpp|hpp|sql|md)$/.test(path) && !path.includes('/node_modules/'))
        .filter((path) => /_template|template-service|Template(Module|Test)/.test(read(path)));
    assert.deepEqual(wrong, [], 'docs/add-a-service.md says what to rename');
});

test('the operations of a service are below its public routes', () => {
    for (const service of built) {
        const api = `controlplane/services/${folder(service)}/api.hpp`;
        if (!files.includes(api)) continue;
        for (const [, path] of read(api).matchAll(/\.path = "([^"]+)"/g))
            assert.ok(service.prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)), `${api}: ${path} is below none of ${service.prefixes}`);
    }
});

test('the binary hosts exactly the built ones', needsBinary, () => {
    const hosted = execFileSync(binary, ['services'], { encoding: 'utf8' }).trim().split('\n').map((line) => {
        const [name, port, prefixes] = line.split('\t');
        return { name, port: Number(port), prefixes: prefixes.split(',') };
    });
    const expected = built.map(({ name, port, prefixes }) => ({ name, port, prefixes }));
    const byName = (left, right) => left.name.localeCompare(right.name);
    assert.deepEqual(hosted.sort(byName), expected.sort(byName));
});

test('docs/operating.md tells of every table what the binary declares', needsBinary, () => {
    const declared = execFileSync(binary, ['tables'], { encoding: 'utf8' }).replace(/\n$/, '').split('\n').map((line) => {
        const [table, , growth, kept, pruner] = line.split('\t');
        return `| \`${table}\` | ${growth} | ${kept} | ${pruner && `\`${pruner}\``} |`;
    });
    const [, section] = read('docs/operating.md').split('\n## What is kept how long\n');
    const told = section.split('\n## ')[0].split('\n').filter((line) => line.startsWith('| `'));
    assert.deepEqual(told, declared);
});

test('every built service has its folder, README, module and tests', () => {
    for (const service of built) {
        const path = `controlplane/services/${folder(service)}/`;
        for (const name of ['README.md', 'module.cpp', 'CMakeLists.txt'])
            assert.ok(files.includes(path + name), `${path}${name} is missing`);
        assert.ok(files.some((file) => file.startsWith(path) && file.endsWith('_test.cpp')), `${path} has no test`);
        const lines = read(`${path}README.md`).trimEnd().split('\n').length;
        assert.ok(lines >= 10 && lines <= 40, `${path}README.md has ${lines} lines`);
        assert.match(read(`${path}README.md`), /Invariants:/);
    }
});

test('the README and docs/services.md say of every service what it is and its state', () => {
    const documents = ['README.md', 'docs/services.md'];
    for (const document of documents) {
        const rows = read(document).split('\n').filter((line) => line.startsWith('| '));
        for (const service of golden) {
            const row = rows.find((line) => line.includes(`| ${service.name} |`));
            assert.ok(row, `${document} has no row for ${service.name}`);
            assert.ok(row.includes(`| ${service.port} |`), `${document}: ${service.name} has another port`);
            assert.ok(row.includes(`| ${service.state} |`), `${document}: ${service.name} is ${service.state}`);
            for (const prefix of service.prefixes) assert.ok(row.includes(prefix), `${document}: ${service.name} lacks ${prefix}`);
        }
    }
});

test('a service writes only tables with its prefix, in migrations without a gap', () => {
    for (const service of built) {
        const path = `controlplane/services/${folder(service)}/migrations/`;
        const migrations = files.filter((file) => file.startsWith(path)).sort();
        migrations.forEach((file, index) => {
            assert.match(file, /\/\d{4}_[a-z0-9_]+\.sql$/);
            assert.equal(Number(file.slice(path.length, path.length + 4)), index + 1, `${file}: a gap`);
            for (const [, table] of read(file).matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g))
                assert.ok(table.startsWith(`${folder(service)}_`), `${file}: ${table}`);
        });
    }
});

// Where two JSON values first differ, as a JSON pointer with what stands there; nothing if nowhere.
function firstDifference(is, was, pointer = '') {
    const isContainer = (value) => typeof value === 'object' && value !== null;
    if (!isContainer(is) || !isContainer(was) || Array.isArray(is) !== Array.isArray(was))
        return is === was ? undefined : { pointer, is, was };
    for (const key of new Set([...Object.keys(is), ...Object.keys(was)])) {
        const found = firstDifference(is[key], was[key], `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        if (found) return found;
    }
    return undefined;
}

test('the first difference of two documents is told by its pointer', () => {
    assert.equal(firstDifference({ a: [1, { b: null }] }, { a: [1, { b: null }] }), undefined);
    assert.deepEqual(firstDifference({ a: [1, { 'b/c': 2 }] }, { a: [1, { 'b/c': 3 }] }), { pointer: '/a/1/b~1c', is: 2, was: 3 });
    assert.deepEqual(firstDifference({ a: 1, b: 2 }, { a: 1 }), { pointer: '/b', is: 2, was: undefined });
});

test('the OpenAPI document is the golden one', needsBinary, () => {
    const text = execFileSync(binary, ['openapi'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const golden = read('tests/architecture/openapi.golden.json');
    if (text.trimEnd() === golden.trimEnd()) return;
    const show = (value) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300));
    const found = firstDifference(JSON.parse(text), JSON.parse(golden)) ?? { pointer: 'the order of members' };
    assert.fail(
        `the public contract changed, first at ${found.pointer}:\n    it was  ${show(found.was)}\n    it is   ${show(found.is)}\n` +
        'If that is meant: build/ci/bin/synapsex-controlplane openapi > tests/architecture/openapi.golden.json',
    );
});

test('every member of every schema and every parameter says what it is', () => {
    const document = JSON.parse(read('tests/architecture/openapi.golden.json'));
    const silent = [];
    for (const [name, schema] of Object.entries(document.components.schemas)) {
        if (!schema.description) silent.push(name);
        for (const [member, property] of Object.entries(schema.properties ?? {}))
            if (!property.description) silent.push(`${name}.${member}`);
    }
    for (const [path, operations] of Object.entries(document.paths))
        for (const [verb, operation] of Object.entries(operations))
            for (const parameter of operation.parameters ?? [])
                if (!parameter.$ref && !parameter.description) silent.push(`${verb} ${path} ${parameter.name}`);
    assert.deepEqual(silent, [], 'describe it with kDocOf');
});

test('SQL keeps to what both engines understand', () => {
    const banned = /\bnow\(\)|\bSERIAL\b|\bAUTOINCREMENT\b|\bILIKE\b|\bLIKE\b|SELECT \*|RETURNING \*|\bjsonb\b|FOR UPDATE/i;
    const sources = files.filter((path) => /controlplane\/services\/.*(store\.cpp|\.sql)$/.test(path));
    assert.ok(sources.length > 0);
    const wrong = sources.flatMap((path) => read(path).split('\n')
        .map((line, index) => [line.replace(/^--.*|\/\/.*/, ''), `${path}:${index + 1}`])
        .filter(([line]) => banned.test(line)).map(([, place]) => place));
    assert.deepEqual(wrong, []);
});
