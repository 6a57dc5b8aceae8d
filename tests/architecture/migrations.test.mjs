// A migration adds, so that the release before runs on beside the new one and may be started again
// after it; what takes away is a contract and says so in its name (docs/migrations.md).

import assert from 'node:assert/strict';
import test from 'node:test';

import { files, read } from './source_tree.mjs';

const paths = files.filter((path) => /^controlplane\/.*\/migrations\/.*\.sql$/.test(path));
const isContract = (path) => /\/\d{4}_contract_[a-z0-9_]+\.sql$/.test(path);

// Each statement as one line, without comments and string contents.
const statementsOf = (sql) => sql.replace(/--[^\n]*/g, '').replace(/'[^']*'/g, "''").split(';')
    .map((statement) => statement.replace(/\s+/g, ' ').trim()).filter(Boolean);

// What of it the release before would notice: [what, why].
function narrowings(sql) {
    const statements = statementsOf(sql);
    const made = new Set(statements.flatMap((statement) => /^CREATE TABLE (\w+)/i.exec(statement)?.[1] ?? []));
    return statements.flatMap((statement) => {
        const [, altered] = /^ALTER TABLE (\w+)/i.exec(statement) ?? [];
        const [, unique] = /^CREATE UNIQUE INDEX \w+ ON (\w+)/i.exec(statement) ?? [];
        const [, lasting] = /^\$\{append_only (\w+)\}$/.exec(statement) ?? [];
        const [, column] = /^ALTER TABLE \w+ ADD COLUMN (.*)$/i.exec(statement) ?? [];
        const why = [];
        if (/^(DROP|TRUNCATE|DELETE)\b/i.test(statement)) why.push('it takes away what the release before reads');
        if (/^CREATE (OR REPLACE )?(TRIGGER|RULE)\b/i.test(statement)) why.push('the release before does not know what its writes set off');
        if (altered && !made.has(altered) && !column) why.push('a table of the release before only gets columns more');
        if (column && /\bNOT NULL\b/i.test(column) && !/\bDEFAULT\b/i.test(column)) why.push('the release before inserts no value for it');
        if (column && /\b(UNIQUE|PRIMARY KEY)\b/i.test(column)) why.push('the release before gives all rows the same value');
        if (lasting && !made.has(lasting)) why.push('the release before may change or remove what is there');
        if (unique && !made.has(unique)) why.push('the release before may insert the same again');
        for (const [, table, rest] of statement.matchAll(/\bREFERENCES (\w+)([^,]*)/gi))
            if (!made.has(table) && !/ON DELETE (CASCADE|SET NULL)/i.test(rest)) why.push(`the release before could not delete from ${table} any more: ON DELETE CASCADE or SET NULL`);
        return why.map((reason) => [statement.slice(0, 60), reason]);
    });
}

test('a migration that is no contract takes nothing from the release before', () => {
    assert.ok(paths.length > 0, 'no migration found: mend the pattern');
    const wrong = paths.filter((path) => !isContract(path))
        .flatMap((path) => narrowings(read(path)).map(([what, why]) => `${path}: ${what}: ${why}`));
    assert.deepEqual(wrong, [], 'add beside it now, and take away in a contract once no release needs it');
});

test('a contract takes something away', () => {
    const wrong = paths.filter((path) => isContract(path) && narrowings(read(path)).length === 0);
    assert.deepEqual(wrong, [], 'older releases would be refused for nothing: give it another name');
});

test('the rule finds what it is there for', () => {
    for (const sql of [
        'DROP TABLE a', 'DROP INDEX a_by_b', 'DELETE FROM a', 'ALTER TABLE a DROP COLUMN b',
        'ALTER TABLE a RENAME TO b', 'ALTER TABLE a RENAME COLUMN b TO c', 'ALTER TABLE a ALTER COLUMN b SET NOT NULL',
        'ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)', 'ALTER TABLE a ADD COLUMN b TEXT NOT NULL',
        'ALTER TABLE a ADD COLUMN b TEXT UNIQUE', 'CREATE UNIQUE INDEX a_by_b ON a (b)',
        'CREATE TABLE c (b ${id} REFERENCES a (b), d TEXT)', 'CREATE TRIGGER t AFTER INSERT ON a', '${append_only a}',
        "-- 'DEFAULT'\nALTER TABLE a ADD COLUMN b\n  TEXT NOT NULL CHECK (b <> 'DEFAULT')",
    ]) assert.equal(narrowings(`CREATE TABLE z (y TEXT); ${sql};`).length, 1, sql);
    for (const sql of [
        'ALTER TABLE a ADD COLUMN b TEXT', "ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT ''",
        'CREATE INDEX a_by_b ON a (b)', 'UPDATE a SET b = 1 WHERE b IS NULL', "INSERT INTO a (b) VALUES ('x')",
        'CREATE TABLE c (b ${id}); CREATE UNIQUE INDEX c_by_b ON c (b); CREATE TABLE d (b ${id} REFERENCES c (b))',
        'CREATE TABLE c (b ${id} REFERENCES a (b) ON DELETE CASCADE, d TEXT)', '-- DROP TABLE a',
        'CREATE TABLE c (b ${id}); ${append_only c}',
    ]) assert.deepEqual(narrowings(`${sql};`), [], sql);
});
