// The list of planted faults (tests/mutants) has not rotted: each still has its place in the source.

import assert from 'node:assert/strict';
import test from 'node:test';

import { apply, mutants, runOf } from '../mutants/mutants.mjs';
import { files, read } from './source_tree.mjs';

test('the text of every planted fault stands exactly once in its file', () => {
    const wrong = [];
    for (const mutant of mutants)
        try {
            assert.notEqual(apply(mutant, read(mutant.file)), read(mutant.file), `${mutant.id} changes nothing`);
        } catch (error) {
            wrong.push(error.message);
        }
    assert.deepEqual(wrong, [], 'put the fault into the code as it is now: tests/mutants/README.md');
});

test('planted faults have names of their own, a reason, and tests that are there', () => {
    assert.ok(mutants.length >= 40);
    assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
    // A library NAME has the test program NAME_test (cmake/targets.cmake).
    const builds = files.filter((path) => path.endsWith('CMakeLists.txt')).map(read).join('\n');
    for (const { id, why, tests } of mutants) {
        assert.match(id, /^[a-z0-9]+(-[a-z0-9]+){2,}$/, id);
        assert.ok(why, id);
        assert.ok(tests.length > 0, id);
        for (const { program } of tests.map(runOf))
            assert.ok(builds.includes(`    ${program.replace(/_test$/, '')}\n`), `${id}: ${program}`);
    }
});

test('docs/mutants.md has every planted fault, and no other', () => {
    const told = [...read('docs/mutants.md').matchAll(/^\| ([a-z0-9-]+) \| `(\S+)` \|/gm)].map(([, id, file]) => `${id} ${file}`);
    assert.deepEqual(told, mutants.map(({ id, file }) => `${id} ${file}`), 'tests/mutants/run.mjs --write');
});
