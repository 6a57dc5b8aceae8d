// Our own packages, for stories about them: .deb files in the folder that SYNAPSEX_DEBS names. And
// the programs that run beside them on the test's side.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { bin } from '../../support/processes.mjs';

// Why there are none; false if there are.
export function whyNoPackages() {
    const folder = process.env.SYNAPSEX_DEBS;
    if (!folder) return 'SYNAPSEX_DEBS names no folder with .deb files';
    if (!existsSync(folder)) return `there is no folder ${folder} (SYNAPSEX_DEBS)`;
    return readdirSync(folder).every((name) => !name.endsWith('.deb')) && `no .deb file in ${folder} (SYNAPSEX_DEBS)`;
}

// The file of a package: packageFile('synapsex-agent').
export function packageFile(name, folder = process.env.SYNAPSEX_DEBS) {
    assert.ok(!whyNoPackages(), String(whyNoPackages()));
    const found = readdirSync(folder).filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
    assert.equal(found.length, 1, `${folder} has ${found.length} files ${name}_*.deb; one is needed`);
    return join(folder, found[0]);
}

// Why there is no control plane to run on the test's side; false if there is one.
export const whyNoPrograms = () => !existsSync(join(bin, 'synapsex-controlplane')) && `no synapsex-controlplane in ${bin} (SYNAPSEX_BIN)`;
