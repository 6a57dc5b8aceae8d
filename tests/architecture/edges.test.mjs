// controlplane/app/edges.hpp says which service may call which; the sources say which does.

import assert from 'node:assert/strict';
import test from 'node:test';

import { includesOf, product, read } from './source_tree.mjs';

const golden = JSON.parse(read('tests/architecture/services.json')).filter(({ state }) => state === 'built');
const folderOf = (service) => service.replace(/-service$/, '').replaceAll('-', '_');
const nameOf = (folder) => golden.find(({ name }) => folderOf(name) === folder)?.name;
const declared = [...read('controlplane/app/edges.hpp').matchAll(/Edge\{"([a-z-]+)", "([a-z-]+)"\}/g)]
    .map(([, caller, callee]) => `${caller} -> ${callee}`);

test('a service may call those whose public.hpp it uses, the gateway all, and nobody else anybody', () => {
    const used = new Set(golden.filter(({ name }) => name !== 'api-gateway').map(({ name }) => `api-gateway -> ${name}`));
    for (const path of product) {
        const caller = path.match(/^controlplane\/services\/([a-z_]+)\//)?.[1];
        if (!caller || caller === '_template') continue;
        for (const include of includesOf(path)) {
            const callee = include.match(/^controlplane\/services\/([a-z_]+)\/public\.hpp$/)?.[1];
            if (callee && callee !== caller) used.add(`${nameOf(caller)} -> ${nameOf(callee)}`);
        }
    }
    assert.deepEqual(declared.toSorted(), [...used].sort(), 'mend controlplane/app/edges.hpp');
});
