#!/usr/bin/env node
// Readies the machine for VMs: removes what killed runs left and makes the roots of the named
// suites. With --why-not it only says why this machine has no VMs, or nothing.

import { debianRoot, whyNoVms } from './kit/roots.mjs';
import { removeLeftovers } from './kit/runs.mjs';

const suites = process.argv.slice(2);
const why = whyNoVms();

if (suites[0] === '--why-not') {
    if (why) console.log(why);
} else if (why) {
    console.error(`no VMs here: ${why}`);
    process.exitCode = 1;
} else {
    for (const run of removeLeftovers()) console.log(`removed what the run ${run} left`);
    const made = await Promise.allSettled(suites.map(async (suite) => console.log(await debianRoot(suite))));
    for (const { reason } of made.filter(({ status }) => status === 'rejected')) {
        console.error(reason.message);
        process.exitCode = 1;
    }
}
