// The faults, and how one is applied. README.md says what they are for.

import database from './list/database.mjs';
import idempotency from './list/idempotency.mjs';
import leases from './list/leases.mjs';
import outbox from './list/outbox.mjs';
import postgres from './list/postgres.mjs';
import sqlite from './list/sqlite.mjs';

// In an order that keeps faults of one file together, since each costs a compilation.
export const mutants = [...sqlite, ...database, ...postgres, ...leases, ...outbox, ...idempotency];

// "synapsex_platform_db_test on PostgreSQL": a test program as ctest names it, and where it runs.
export function runOf(name) {
    const [program, ...words] = name.split(' ');
    const where = words.join(' ');
    if (!['', 'on PostgreSQL', 'through pgbouncer'].includes(where))
        throw new Error(`${name}: tests run "on PostgreSQL" or "through pgbouncer"`);
    return { name, program, where };
}

// The text of the file with the fault. A text that is not there, or is there twice, is an error: the
// fault that it meant is gone, or another.
export function apply(mutant, text) {
    const times = text.split(mutant.find).length - 1;
    if (times !== 1)
        throw new Error(`${mutant.id}: its text stands ${times} times in ${mutant.file}; it has to stand there once`);
    const at = text.indexOf(mutant.find);
    return text.slice(0, at) + mutant.replace + text.slice(at + mutant.find.length);
}
