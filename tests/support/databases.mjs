// The database of a test's control plane: a SQLite file in its data directory, or with
// SYNAPSEX_TEST_ENGINE=postgres one in the cluster that libpq's environment names
// (with_postgres.sh), which ends with it.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { root } from './processes.mjs';

export const isPostgres = process.env.SYNAPSEX_TEST_ENGINE === 'postgres';

// A statement that waits for a lock is a failure that names it, not the end of all.
const call = (program, words, options) => execFileSync(program, words, { timeout: 60_000, ...options });

// sqlite3 prints nothing for no rows.
const parseRows = (text) => (text.trim() ? JSON.parse(text) : []);

class SqliteFile {
    constructor(dataDir) {
        this.path = join(dataDir, 'controlplane.db');
        this.flags = [];  // where the control plane keeps it anyway
    }
    // The control plane must not run. (It may while rows() reads.)
    run(sql) { call('sqlite3', [this.path, sql]); }
    rows(sql) { return parseRows(call('sqlite3', ['-json', this.path, sql], { encoding: 'utf8' })); }
    // All that is kept, as it lies on the disk, and what is about to be.
    bytes() {
        const folder = dirname(this.path);
        const names = readdirSync(folder).filter((name) => name.startsWith('controlplane.db') && !name.endsWith('.reserve'));
        return Buffer.concat(names.map((name) => readFileSync(join(folder, name))));
    }
}

let made = 0;

class PostgresDatabase {
    constructor() {
        const { PGHOST, PGPORT, PGUSER, PGPASSWORD, SYNAPSEX_TEST_POOLER } = process.env;
        this.name = `story_${process.pid}_${++made}`;
        call('createdb', ['--template=template0', this.name]);
        const place = SYNAPSEX_TEST_POOLER ?? `${PGHOST}:${PGPORT}`;
        this.flags = ['--database-url', `postgresql://${PGUSER}:${PGPASSWORD}@${place}/${this.name}`];
    }
    run(sql) { call('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-d', this.name, '-c', sql]); }
    rows(sql) {
        const wrapped = `SELECT coalesce(json_agg(r), '[]') FROM (${sql}) AS r`;
        return parseRows(call('psql', ['-qAt', '-v', 'ON_ERROR_STOP=1', '-d', this.name, '-c', wrapped], { encoding: 'utf8', maxBuffer: 1 << 28 }));
    }
    bytes() { return call('pg_dump', [this.name], { maxBuffer: 1 << 28 }); }
}

// What the release after this one would call its next migration of tenant-service.
export function nextMigration(what) {
    const known = readdirSync(join(root, 'controlplane/services/tenant/migrations')).length;
    return `${String(known + 1).padStart(4, '0')}_${what}`;
}

export function makeDatabase(dataDir) {
    return isPostgres ? new PostgresDatabase() : new SqliteFile(dataDir);
}
