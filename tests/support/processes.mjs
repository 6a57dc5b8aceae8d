// Real processes for tests: started with their output captured, ended by pid when the test is over,
// however it ends. Nothing here sleeps; what has to become true is polled with a deadline.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const bin = resolve(root, process.env.SYNAPSEX_BIN ?? join('build', 'ci', 'bin'));
export const isLong = process.env.SYNAPSEX_LONG === '1';
export const isRoot = process.getuid() === 0;

export function program(name) {
    const path = join(bin, name);
    assert.ok(existsSync(path), `${path} is not built; set SYNAPSEX_BIN to the folder that has it`);
    return path;
}

// --- waiting ---

const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

// Calls `look` until it returns something truthy, and returns that. What `look` throws is kept and
// told if the deadline passes; an error marked `isFinal` ends the wait at once.
export async function eventually(what, look, { within = 20_000, every = 50 } = {}) {
    const deadline = Date.now() + within;
    let last = 'it never became true';
    for (;;) {
        try {
            const found = await look();
            if (found) return found;
        } catch (error) {
            if (error.isFinal) throw error;
            last = error.message;
        }
        if (Date.now() >= deadline) throw new Error(`not within ${within / 1000} s: ${what}; ${last}`);
        await pause(every);
    }
}

// Lets real time pass in which something must NOT happen, or in which a machine has to live on.
export async function throughout(milliseconds, check, { every = 200 } = {}) {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
        await check();
        await pause(Math.min(every, Math.max(end - Date.now(), 1)));
    }
}

export async function freePort() {
    const server = createServer();
    await new Promise((done, failed) => {
        server.once('error', failed);
        server.listen(0, '127.0.0.1', done);
    });
    const { port } = server.address();
    await new Promise((done) => { server.close(done); });
    return port;
}

// --- folders ---

const folders = new Set();

// Removed when the test process ends. Unix sockets go into it, so its path stays short.
export function temporaryFolder() {
    const folder = mkdtempSync(join(tmpdir(), 'sx test '));
    folders.add(folder);
    return folder;
}

// --- processes ---

const running = new Set();

function endGroup(pid, signal) {
    try {
        process.kill(-pid, signal);
    } catch (error) {
        if (error.code !== 'ESRCH') throw error;
    }
}

export function isAlive(pid) {
    try {
        // A zombie takes signals, and lives no more.
        return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
        return false;
    }
}

// A process in a group of its own. `exited` resolves to {code, signal}.
export class Program {
    constructor(command, parameters = [], { env = {}, cwd, input, name } = {}) {
        this.name = name ?? command.split('/').pop();
        this.stdout = '';
        this.stderr = '';
        this.child = spawn(
            // Even a test process that is killed leaves nothing behind.
            'setpriv', ['--pdeathsig', 'KILL', '--', command, ...parameters],
            { cwd, detached: true, env: { ...cleanEnvironment(), ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
        );
        this.pid = this.child.pid;
        running.add(this);
        this.child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
        this.child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
        this.child.stdin.on('error', () => {});  // it may end without reading
        this.child.stdin.end(input ?? '');
        this.exited = new Promise((done, failed) => {
            this.child.once('error', failed);
            this.child.once('close', (code, signal) => {
                this.result = { code, signal };
                running.delete(this);
                done(this.result);
            });
        });
    }

    get isRunning() { return !this.result; }

    kill(signal) { endGroup(this.pid, signal); }

    // Ends it in an orderly way and checks that it went so.
    async end({ signal = 'SIGTERM', within = 20_000 } = {}) {
        if (this.isRunning) this.child.kill(signal);
        if (!await this.hasExited(within)) {
            this.kill('SIGKILL');
            throw new Error(`${this.name} did not end within ${within / 1000} s of ${signal}\n${this.tail()}`);
        }
        this.checkSanitizers();
        return this.result;
    }

    async hasExited(within) {
        let timer;
        const late = new Promise((done) => { timer = setTimeout(done, within); });
        await Promise.race([this.exited, late]);
        clearTimeout(timer);
        return !this.isRunning;
    }

    async killHard() {
        this.kill('SIGKILL');
        await this.exited;
        this.checkSanitizers();
    }

    // The sanitizers' exit code is lost where a supervisor starts the program anew; the text is not.
    checkSanitizers() {
        const found = /ERROR: (Address|Leak)Sanitizer|runtime error: /.exec(this.stderr);
        if (found) throw new Error(`${this.name}: ${this.stderr.slice(found.index, found.index + 4000)}`);
    }

    get logLines() {
        return this.stderr.split('\n').filter((line) => line.startsWith('{')).flatMap((line) => {
            try {
                return [JSON.parse(line)];
            } catch {
                return [];  // the last line may still be under way
            }
        });
    }

    tail(lines = 30) { return (this.stdout + this.stderr).split('\n').slice(-lines).join('\n'); }
}

// Runs a program to its end.
export async function run(command, parameters = [], options = {}) {
    const { within = 60_000, ...rest } = options;
    const started = new Program(command, parameters, rest);
    if (!await started.hasExited(within)) {
        started.kill('SIGKILL');
        throw new Error(`${started.name} ${parameters.join(' ')} did not end within ${within / 1000} s\n${started.tail()}`);
    }
    started.checkSanitizers();
    const { code, signal } = started.result;
    return { code, signal, stdout: started.stdout, stderr: started.stderr };
}

// What a developer has set for the product must not reach the tests.
function cleanEnvironment() {
    const kept = Object.entries(process.env)
        .filter(([name]) => !/^SYNAPSEX_|DATABASE_URL$|_proxy$|^NO_COLOR$|^NODE_/i.test(name));
    return { ...Object.fromEntries(kept), LSAN_OPTIONS: `suppressions=${join(root, 'tests/support/leaks.supp')}:print_suppressions=0` };
}

// A test that failed half-way leaves processes: they must not keep the test process from its end.
after(() => {
    for (const { child } of running) for (const handle of [child, child.stdout, child.stderr, child.stdin]) handle.unref?.();
});
process.on('exit', () => {
    for (const started of running) endGroup(started.pid, 'SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1));

// A file of tests that does not come to its end says what it waits for before its step is ended
// (tests/run.sh).
const deadline = Number(process.env.SYNAPSEX_TEST_DEADLINE) * 1000;
if (deadline > 0)
    setTimeout(() => {
        const waited = [...running].map((started) => `${started.name} (${started.pid}):\n${started.tail()}`);
        console.error(['no end in time; it holds:', process.getActiveResourcesInfo().join(' '), ...waited].join('\n'));
        process.exit(1);
    }, Math.max(deadline - Date.now(), 0)).unref();
