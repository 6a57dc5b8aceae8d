#!/usr/bin/env node
// Puts one stated fault after another into a copy of the checkout and looks whether the tests find it.
// README.md says more; --help how to call it.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { copyCheckout } from './copy.mjs';
import { apply, mutants, runOf } from './mutants.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, 'build', 'mutants');
const tree = join(folder, 'tree');
const build = join(folder, 'build');
const report = join(root, 'docs', 'mutants.md');

const wantedShare = 0.95;
// A hang is a find. Far above what a test takes, also where others need the processor.
const slowest = (baseline) => 30_000 + 5 * baseline;

const usage = `Usage: tests/mutants/run.mjs [--list] [--json] [--write] [--jobs N] [name…]

Puts each stated fault into a copy of the checkout (build/mutants) and runs the tests that are to find
it. Ends with 0 if they found at least ${wantedShare * 100} %, with 1 if not, with 2 if the list is wrong.

  name      only faults with this in their id or file; several: any of them
  --list    say which, and run nothing
  --json    the result as JSON; what happens goes to stderr
  --write   put the result into the table of docs/mutants.md
  --jobs N  how many compilers at a time
`;

class ListError extends Error {}

function options() {
    const given = { names: [], jobs: availableParallelism() };
    const words = process.argv.slice(2);
    while (words.length > 0) {
        const word = words.shift();
        if (word === '--help') {
            process.stdout.write(usage);
            process.exit(0);
        } else if (word === '--jobs') given.jobs = Number(words.shift());
        else if (['--list', '--json', '--write'].includes(word)) given[word.slice(2)] = true;
        else if (word.startsWith('-')) throw new ListError(`there is no option ${word}; see --help`);
        else given.names.push(word);
    }
    if (!(given.jobs > 0)) throw new ListError('--jobs takes a number');
    given.chosen = mutants.filter(({ id, file }) =>
        given.names.length === 0 || given.names.some((name) => id.includes(name) || file.includes(name)));
    if (given.chosen.length === 0) throw new ListError('no fault is named like that');
    return given;
}

let given = {};
const say = (text) => (given.json ? process.stderr : process.stdout).write(`${text}\n`);

function must(what, command, ...words) {
    const done = spawnSync(command, words, { cwd: tree, encoding: 'utf8', maxBuffer: 64 << 20 });
    if (done.error) throw new ListError(`${what}: ${done.error.message}`);
    if (done.status !== 0) throw new ListError(`${what} failed:\n${(done.stdout + done.stderr).slice(-4000)}`);
}

// Warnings are for the compilation that is shipped: a fault may leave a name unused.
function configure() {
    must('configure', 'cmake', '-G', 'Ninja', '-S', tree, '-B', build,
        '-DCMAKE_BUILD_TYPE=None', '-DCMAKE_CXX_FLAGS=-O0 -w');
}

function compile(what, programs) {
    must(what, 'cmake', '--build', build, '-j', String(given.jobs), '--target', ...programs);
}

// SQLite unless it is said otherwise. with_postgres.sh has set all of it.
function environmentOf(where) {
    const environment = { ...process.env };
    if (where === '') delete environment.SYNAPSEX_TEST_ENGINE;
    if (where !== 'through pgbouncer') delete environment.SYNAPSEX_TEST_POOLER;
    return environment;
}

let running;  // the test program, which a signal to us alone would leave behind
for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
        if (running) process.kill(-running.pid, 'SIGKILL');
        process.exit(2);
    });

// { found: the first test that failed, or undefined; milliseconds }
function runTest(run, limit) {
    return new Promise((resolve, reject) => {
        const started = Date.now();
        // A process group of its own: what a test has started ends with it.
        const child = spawn(join(build, 'tests', run.program), ['--gtest_fail_fast', '--gtest_color=no'],
            { cwd: folder, env: environmentOf(run.where), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
        running = child;
        let output = '';
        let hangs = false;
        const timer = setTimeout(() => {
            hangs = true;
            process.kill(-child.pid, 'SIGKILL');
        }, limit);
        child.stdout.on('data', (data) => { output += data; });
        child.stderr.on('data', (data) => { output += data; });
        child.on('error', reject);
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            running = undefined;
            const milliseconds = Date.now() - started;
            if (code === 0) return resolve({ milliseconds, output });
            resolve({ milliseconds, output, found: foundBy(output, hangs, signal) });
        });
    });
}

function foundBy(output, hangs, signal) {
    const failed = output.match(/^\[  FAILED  \] ([^\s,]+\.[^\s,]+)/m);
    if (failed) return failed[1];
    const running = [...output.matchAll(/^\[ RUN +\] (\S+)/gm)].pop()?.[1] ?? 'the program';
    return `${running} (${hangs ? 'hangs' : `ends by ${signal ?? 'itself'}`})`;
}

async function baselineOf(runs) {
    const baselines = new Map();
    for (const run of runs) {
        const { found, milliseconds, output } = await runTest(run, 600_000);
        if (found) throw new ListError(`without a fault ${run.name} fails: ${found}\n${output.slice(-4000)}`);
        baselines.set(run.name, milliseconds);
    }
    return baselines;
}

async function tryOut(mutant, baselines) {
    const path = join(tree, mutant.file);
    const text = readFileSync(path, 'utf8');
    const runs = mutant.tests.map(runOf);
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    writeFileSync(path, apply(mutant, text));
    try {
        compile(mutant.id, [...new Set(runs.map(({ program }) => program))]);
        for (const run of runs) {
            const { found } = await runTest(run, slowest(baselines.get(run.name)));
            if (found) return { mutant, run: run.name, found, seconds: seconds() };
        }
        return { mutant, seconds: seconds() };
    } finally {
        writeFileSync(path, text);
    }
}

function tell({ mutant, run, found, seconds }) {
    say(`${found ? 'found ' : 'MISSED'} ${String(seconds).padStart(4)} s  ${mutant.id}`);
    say(`                ${found ? `${found}, ${run}` : `by none of ${mutant.tests.join(', ')}`}`);
}

// Rows of faults that were not tried stay as they are.
function writeReport(results) {
    const [head, table] = readFileSync(report, 'utf8').split(/(?=^\| fault \|)/m);
    const rows = new Map(table.trimEnd().split('\n').map((row) => [row.split(' ')[1], row]));
    for (const { mutant, found, run } of results) {
        const where = run && runOf(run).where;
        rows.set(mutant.id, `| ${mutant.id} | \`${mutant.file}\` | ${found ?? 'nothing'}${where ? `, ${where}` : ''} |`);
    }
    const listed = mutants.map(({ id }) => rows.get(id)).filter(Boolean);
    writeFileSync(report, `${head}${[rows.get('fault'), '|---|---|---|', ...listed].join('\n')}\n`);
}

async function main() {
    const runs = [...new Set(given.chosen.flatMap(({ tests }) => tests))].map(runOf);
    if (runs.some(({ where }) => where) && !process.env.SYNAPSEX_TEST_POOLER) {
        // One cluster for all.
        const again = spawnSync(join(root, 'tests', 'support', 'with_postgres.sh'),
            ['--pgbouncer', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' });
        process.exit(again.status ?? 2);
    }
    copyCheckout(root, tree);
    configure();
    compile('the build without a fault', [...new Set(runs.map(({ program }) => program))]);
    const baselines = await baselineOf(runs);
    const results = [];
    for (const mutant of given.chosen) {
        results.push(await tryOut(mutant, baselines));
        tell(results.at(-1));
    }
    const found = results.filter((result) => result.found).length;
    if (given.json)
        process.stdout.write(`${JSON.stringify(results.map(({ mutant, ...rest }) => ({ id: mutant.id, file: mutant.file, ...rest })), null, 2)}\n`);
    if (given.write) writeReport(results);
    say(`${found} of ${results.length} found`);
    return found >= wantedShare * results.length ? 0 : 1;
}

try {
    given = options();
    if (given.list) for (const { id, file, tests } of given.chosen) say(`${id}\n    ${file}; ${tests.join(', ')}`);
    else process.exitCode = await main();
} catch (error) {
    if (!(error instanceof ListError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
}
