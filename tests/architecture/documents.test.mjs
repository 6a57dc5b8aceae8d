// Documents that quote the tree quote it truly, and their links lead somewhere.

import assert from 'node:assert/strict';
import { dirname, join, normalize } from 'node:path';
import test from 'node:test';

import { files, product, read } from './source_tree.mjs';

const documents = files.filter((path) => path.endsWith('.md') && !path.includes('node_modules/'));
const squeeze = (text) => text.replace(/\s+/g, ' ').trim();

test('the C++ in docs/add-an-operation.md stands in the tree', () => {
    const tree = files.filter((path) => /\.(cpp|hpp)$/.test(path)).map((path) => squeeze(read(path)));
    const blocks = [...read('docs/add-an-operation.md').matchAll(/```cpp\n([\s\S]*?)```/g)].map((match) => squeeze(match[1]));
    assert.ok(blocks.length > 3);
    for (const block of blocks)
        assert.ok(tree.some((text) => text.includes(block)), `not in the tree: ${block}`);
});

test('docs/operating.md has every metric of the control plane, and no other', () => {
    const made = new Set(product.filter((path) => path.startsWith('controlplane/')).flatMap((path) =>
        [...read(path).matchAll(/\b(?:counter|gauge|histogram)\(\s*"(synapsex_\w+)"/g)].map(([, name]) => name)));
    const told = new Set([...read('docs/operating.md').matchAll(/^\| `(synapsex_\w+)` \|/gm)].map(([, name]) => name));
    assert.ok(made.size > 10, 'no metrics found: mend the pattern');
    assert.deepEqual([...made].filter((name) => !told.has(name)), [], 'say there what it means');
    assert.deepEqual([...told].filter((name) => !made.has(name)), [], 'nothing has this name any more');
});

test('links between documents lead to files', () => {
    const wrong = [];
    for (const path of documents)
        for (const [, link] of read(path).replace(/```[\s\S]*?```/g, '').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
            const target = normalize(join(dirname(path), link));
            if (!files.includes(target) && !files.some((file) => file.startsWith(`${target}/`)))
                wrong.push(`${path}: ${link}`);
        }
    assert.deepEqual(wrong, []);
});

test('decisions are numbered without a gap', () => {
    const numbers = files.filter((path) => /^docs\/decisions\/\d/.test(path)).map((path) => Number(path.slice(15, 19))).sort((a, b) => a - b);
    numbers.forEach((number, index) => assert.equal(number, index + 1));
});

test('installers/install-agent.sh, which is copied anywhere, says which version it is of', () => {
    const [, version] = /^readonly version=(.*)$/m.exec(read('installers/install-agent.sh'));
    assert.equal(version, read('VERSION').trim());
});
