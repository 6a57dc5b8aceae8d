// A control plane of its own for a test: its own data directory, port and log.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { eventually, freePort, Program, program, run, temporaryFolder } from './processes.mjs';
import { makeDatabase } from './databases.mjs';
import { request } from './http.mjs';
import { Validator } from './validator.mjs';

export class ControlPlane {
    // Initialised, started and signed in. `settings` are more flags of `serve`.
    static async start({ settings = [], folder = temporaryFolder(), env = {} } = {}) {
        const controlPlane = new ControlPlane({ settings, folder, env, port: await freePort() });
        return controlPlane.begin();
    }

    async begin() {
        this.database = makeDatabase(this.dataDir);
        this.settings = [...this.database.flags, ...this.settings];
        await this.init();
        await this.serve();
        this.owner = await this.signIn(this.credentials);
        return this;
    }

    constructor({ settings, folder, env, port }) {
        this.settings = settings;
        this.folder = folder;
        this.env = env;
        this.port = port;
        this.dataDir = join(folder, 'control plane');
        this.configFile = join(folder, 'controlplane.toml');
        writeFileSync(this.configFile, '');  // no settings of the machine
        this.url = `http://127.0.0.1:${port}`;
        this.log = '';  // of all lives so far
    }

    get flags() {
        return [
            '--config', this.configFile, '--data-dir', this.dataDir,
            '--listen', `127.0.0.1:${this.port}`, ...this.settings,
        ];
    }

    async init() {
        const file = join(this.folder, 'owner.json');
        const done = await this.run([
            'init', ...this.flags, '--email', 'owner@example.com', '--full-name', 'Olive Owner',
            '--tenant-name', 'Main Street', '--credentials-file', file,
        ]);
        assert.equal(done.code, 0, done.stderr);
        this.initOutput = done.stdout;
        this.credentials = JSON.parse(readFileSync(file, 'utf8'));
    }

    // Any command of the program, to its end.
    run(parameters, options = {}) {
        return run(program('synapsex-controlplane'), parameters, { env: this.env, ...options });
    }

    // Any command of the program, in the background.
    launch(parameters) {
        return new Program(program('synapsex-controlplane'), parameters, { env: this.env, name: 'control plane' });
    }

    async serve() {
        this.process = this.launch(['serve', ...this.flags]);
        await eventually('the control plane is ready', async () => {
            if (!this.process.isRunning) {
                const error = new Error(`it ended with ${JSON.stringify(this.process.result)}\n${this.process.tail()}`);
                throw Object.assign(error, { isFinal: true });
            }
            return (await this.get('/readyz')).status === 200;
        }, { within: 60_000 });
        if (Validator.isWanted) this.validator ??= await Validator.before(this);
    }

    // --- its end, in several ways ---

    // Drained by SIGTERM; checks that it ends by itself and that the sanitizers saw nothing.
    async stop() {
        const result = await this.process.end();
        this.log += this.process.stderr;
        assert.deepEqual(result, { code: 0, signal: null }, this.process.tail());
        await this.validator?.end();
        this.validator = undefined;
    }
    async killHard() {
        await this.process.killHard();
        this.log += this.process.stderr;
    }
    // On the same port and data, whatever ended it.
    async restart() {
        if (this.process.isRunning) await this.stop();
        await this.serve();
    }

    get logLines() { return this.process.logLines; }

    // --- calls ---

    async call(method, path, options = {}) {
        const { as, tenant, headers = {}, ...rest } = options;
        const given = { ...headers };
        if (as) given.authorization ??= `Bearer ${as.accessToken ?? as}`;
        if (tenant) given['x-tenant-id'] = tenant;
        const validator = path.startsWith('/v1/') ? this.validator : undefined;
        const answer = await request((validator?.url ?? this.url) + path, { method, headers: given, ...rest });
        validator?.note(method, path, answer);
        return answer;
    }
    get(path, options) { return this.call('GET', path, options); }
    post(path, body, options) { return this.call('POST', path, { body, ...options }); }
    put(path, body, options) { return this.call('PUT', path, { body, ...options }); }
    patch(path, body, options) { return this.call('PATCH', path, { body, ...options }); }
    delete(path, options) { return this.call('DELETE', path, options); }

    // As the owner, and it has to succeed: what a story takes for granted on its way.
    async must(method, path, body, options = {}) {
        const answer = await this.call(method, path, { as: this.owner, body, ...options });
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    // --- people ---

    async signIn({ email, password }) {
        const answer = await this.post('/v1/auth/login', { email, password });
        assert.equal(answer.status, 200, answer.text);
        return personOf(answer.json, { email, password });
    }
    // Needs --open-registration true.
    async register(name) {
        const wish = { email: `${name}@example.com`, password: `${name} has a long password`, fullName: name };
        const answer = await this.post('/v1/auth/register', wish);
        assert.equal(answer.status, 201, answer.text);
        return personOf(answer.json, wish);
    }

    async enrollmentToken(wish = {}, options = {}) {
        return this.must('POST', '/v1/agents/enrollment-tokens', wish, options);
    }
}

function personOf(tokens, { email, password }) {
    return {
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        id: tokens.user.id,
        tenantId: tokens.user.tenantId,
        email,
        password,
    };
}

// The answer is a problem document of this status and code (RFC 9457).
export function assertProblem(answer, status, code) {
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json\b/, answer.text);
    assert.equal(answer.json.status, status);
    assert.ok(answer.json.title && answer.json.detail && answer.json.type, answer.text);
    assert.equal(answer.json.requestId, answer.headers['x-request-id'], 'the request id is in body and header');
    if (code) assert.equal(answer.json.code, code, answer.text);
    return answer.json;
}
