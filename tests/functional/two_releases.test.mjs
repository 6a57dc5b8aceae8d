// Two releases on one database: the real program is the release before, support/next_release.cpp
// the next one, which has a migration more. Whoever upgrades may go back until a contract.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { isPostgres, makeDatabase, nextMigration } from '../support/databases.mjs';
import { eventually, freePort, Program, program, run, temporaryFolder } from '../support/processes.mjs';

const kExpand = [
    nextMigration('add_region'),
    `ALTER TABLE tenant_tenants ADD COLUMN region TEXT NOT NULL DEFAULT 'eu';
     ALTER TABLE tenant_members ADD COLUMN invited_by TEXT;
     CREATE INDEX tenant_tenants_by_region ON tenant_tenants (region);
     CREATE TABLE tenant_labels (
         tenant_id \${id} NOT NULL REFERENCES tenant_tenants (tenant_id) ON DELETE CASCADE,
         label TEXT NOT NULL, PRIMARY KEY (tenant_id, label)) \${strict};
     INSERT INTO tenant_labels (tenant_id, label) SELECT tenant_id, 'old' FROM tenant_tenants;`,
];
const kContract = [nextMigration('contract_names'), 'ALTER TABLE tenant_tenants RENAME COLUMN name TO title;'];

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { if (controlPlane?.process.isRunning) await controlPlane.stop(); });

const urlOf = ({ database }) => database.flags[1] ?? `sqlite://${database.path}`;
const nextRelease = (plane, [name, sql], options) => run(program('next_release'), [urlOf(plane), name, sql], options);
async function upgrade(plane, migration) {
    const done = await nextRelease(plane, migration);
    assert.equal(done.code, 0, done.stderr);
}
const migrationsOf = (database) => database.rows('SELECT service, number, name FROM schema_migrations ORDER BY service, number');

// It can do what it could.
async function works(plane) {
    const made = await plane.must('POST', '/v1/tenants', { name: 'Works' });
    await plane.must('PATCH', `/v1/tenants/${made.id}`, { name: 'Works on' }, { tenant: made.id });
    const read = await plane.must('GET', `/v1/tenants/${made.id}`, undefined, { tenant: made.id });
    assert.equal(read.name, 'Works on');
}

test('the release before goes on while the next one migrates under it', { skip: !isPostgres && 'a SQLite file has one process' }, async (t) => {
    let isOver = false;
    t.after(() => { isOver = true; });
    const slowest = { milliseconds: 0 };
    const clients = Array.from({ length: 4 }, async (_, client) => {
        let done = 0;
        let id;
        for (; !isOver; ++done) {
            const start = Date.now();
            const name = `Tenant ${client}.${done}`;
            if (done < 100) ({ id } = await controlPlane.must('POST', '/v1/tenants', { name }));  // a user has at most 1000
            else await controlPlane.must('PATCH', `/v1/tenants/${id}`, { name }, { tenant: id });
            assert.equal((await controlPlane.must('GET', `/v1/tenants/${id}`, undefined, { tenant: id })).name, name);
            slowest.milliseconds = Math.max(slowest.milliseconds, Date.now() - start);
        }
        return done;
    });
    // Somebody dumps the database, too, and holds its tables for that long.
    const dump = new Program('psql', ['-q', '-d', controlPlane.database.name, '-c', 'BEGIN; LOCK tenant_tenants IN ACCESS SHARE MODE; SELECT pg_sleep(3)']);
    await eventually('the dump is at it', () => controlPlane.database.rows(
        "SELECT pid FROM pg_locks WHERE relation = 'tenant_tenants'::regclass AND mode = 'AccessShareLock' AND granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND application_name = 'psql')",
    ).length > 0);
    await upgrade(controlPlane, kExpand);
    assert.ok(!dump.isRunning || await dump.hasExited(1000), 'it was waited for');
    await works(controlPlane);
    isOver = true;
    const done = (await Promise.all(clients)).reduce((sum, count) => sum + count);
    t.diagnostic(`${done} tenants made or renamed meanwhile, at most ${slowest.milliseconds} ms for one`);
    assert.ok(done > 0);
    const defaulted = controlPlane.database.rows("SELECT count(*) AS n FROM tenant_tenants WHERE region = 'eu'");
    const all = controlPlane.database.rows('SELECT count(*) AS n FROM tenant_tenants');
    assert.deepEqual(defaulted, all);
});

test('the release before starts again on what the next one added', async () => {
    await controlPlane.stop();
    await upgrade(controlPlane, kExpand);
    const after = migrationsOf(controlPlane.database);
    assert.equal(after.filter(({ service }) => service === 'tenant-service').length, Number(kExpand[0].slice(0, 4)));
    await controlPlane.serve();
    assert.ok(controlPlane.logLines.some((line) => line.level === 'warning' && line.migration === kExpand[0]), controlPlane.process.tail());
    await works(controlPlane);
    await controlPlane.stop();
    await upgrade(controlPlane, kExpand);
    assert.deepEqual(migrationsOf(controlPlane.database), after, 'there is nothing left to do');
    await controlPlane.serve();
});

test('nor does it start again once the next one took something away', async () => {
    const other = await ControlPlane.start();
    await other.stop();
    await upgrade(other, kContract);
    const before = migrationsOf(other.database);
    const refused = await other.run(['serve', ...other.flags]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, new RegExp(`^synapsex-controlplane: tenant-service: a newer release has taken away .*${kContract[0]}; start that release instead$`, 'm'));
    assert.deepEqual(migrationsOf(other.database), before);
});

// A database that nothing was done to yet, for a data directory that is initialised.
function emptyDatabase() {
    const folder = temporaryFolder();
    const database = makeDatabase(folder);
    const flags = isPostgres ? database.flags : ['--database-url', `sqlite://${database.path}`];
    return { database, parameters: ['serve', '--config', controlPlane.configFile, '--data-dir', controlPlane.dataDir, ...flags, '--migrate-only'] };
}

test('of many that migrate at once each migration is applied by one', { skip: !isPostgres && 'a SQLite file has one process' }, async () => {
    const { database, parameters } = emptyDatabase();
    const all = await Promise.all(Array.from({ length: 4 }, () => controlPlane.run(parameters)));
    for (const done of all) assert.equal(done.code, 0, done.stderr);
    const applied = all.flatMap(({ stderr }) => [...stderr.matchAll(/"message":"migration applied"[^\n]*"migration":"(\w+)"/g)].map(([, name]) => name));
    assert.deepEqual(applied.sort(), migrationsOf(database).map(({ name }) => name).sort());
    assert.equal(new Set(applied).size, applied.length);
});

test('killed at any moment of a migration, the next start succeeds', async (t) => {
    const whole = emptyDatabase();
    const start = Date.now();
    assert.equal((await controlPlane.run(whole.parameters)).code, 0);
    const took = Date.now() - start;
    const complete = migrationsOf(whole.database);
    const found = [];
    const rounds = 8;
    for (let round = 0; round < rounds; ++round) {
        const { database, parameters } = emptyDatabase();
        const dying = new Program(program('synapsex-controlplane'), parameters);
        // The later half: in the first one the program starts.
        await dying.hasExited(took * (0.5 + (0.5 * round) / rounds));
        await dying.killHard();
        try {
            found.push(migrationsOf(database).length);
        } catch {
            found.push(0);  // not even the table
        }
        const again = await controlPlane.run(parameters);
        assert.equal(again.code, 0, again.stderr);
        assert.deepEqual(migrationsOf(database), complete);
    }
    t.diagnostic(`migrations found after the kill: ${found.join(', ')} of ${complete.length}`);
});

test('killed in the middle of one migration, nothing of it is left', { skip: !isPostgres && 'a SQLite file has no clock to wait in' }, async () => {
    const other = await ControlPlane.start();
    await other.stop();
    const [name, sql] = kExpand;
    const dying = new Program(program('next_release'), [urlOf(other), name, `${sql} SELECT pg_sleep(2);`]);
    await eventually('it is in the middle', () => other.database.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(2)%' AND pid <> pg_backend_pid()",
    ).length > 0);
    await dying.killHard();
    // PostgreSQL notices at the end of the statement; until then others wait for the lock.
    await upgrade(other, kExpand);
    await other.serve();
    await works(other);
    await other.stop();
});
