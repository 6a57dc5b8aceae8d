// The real agent in a folder of its own: supervised (executor and worker), or the bare worker.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { eventually, isAlive, Program, program, run, temporaryFolder } from './processes.mjs';

export class Agent {
    constructor(controlPlane, { name = 'test-vm', settings = [], folder = temporaryFolder(), url } = {}) {
        this.controlPlane = controlPlane;
        this.name = name;
        this.folder = folder;
        this.dataDir = join(folder, 'data');
        this.runDir = join(folder, 'run');
        this.tokenFile = join(folder, 'token');
        this.flags = [
            '--url', url ?? controlPlane.url, '--name', name, '--data-dir', this.dataDir,
            '--run-dir', this.runDir, '--token-file', this.tokenFile, ...settings,
        ];
        // No settings of the machine.
        this.env = { SYNAPSEX_AGENT_CONFIG: join(folder, 'agent.toml') };
        writeFileSync(this.env.SYNAPSEX_AGENT_CONFIG, '');
    }

    // Enrolled with a fresh token, and online.
    static async start(controlPlane, options = {}) {
        const agent = new Agent(controlPlane, options);
        agent.giveToken((await controlPlane.enrollmentToken({ name: agent.name })).token);
        agent.supervise();
        agent.vm = await agent.online();
        return agent;
    }

    giveToken(token) { writeFileSync(this.tokenFile, `${token}\n`, { mode: 0o600 }); }

    supervise() {
        this.process = new Program(
            program('synapsex-agent'), ['--supervise', ...this.flags], { env: this.env, name: 'agent' },
        );
    }
    runBare() {
        this.process = new Program(program('synapsex-agent'), ['run', ...this.flags], { env: this.env, name: 'agent' });
    }

    // Its VM as /v1 shows it, once it is online.
    online({ within = 60_000 } = {}) {
        return eventually(`${this.name} is online`, async () => {
            if (!this.process.isRunning)
                throw Object.assign(new Error(`the agent ended\n${this.process.tail()}`), { isFinal: true });
            const vm = await this.find();
            return vm?.state === 'online' && vm;
        }, { within, every: 200 });
    }
    async find() {
        const page = await this.controlPlane.must('GET', `/v1/vms?name=${encodeURIComponent(this.name)}`);
        return page.items[0];
    }

    // "worker", "executor" or "supervisor"; undefined while it is not running.
    pidOf(which) {
        const file = join(this.runDir, `${which}.pid`);
        if (!existsSync(file)) return undefined;
        const pid = Number(readFileSync(file, 'utf8'));
        return pid > 1 && isAlive(pid) ? pid : undefined;
    }

    async status() {
        const done = await run(program('synapsex-agent'), ['status', '--json', ...this.flags], { env: this.env });
        return { code: done.code, ...(done.stdout ? JSON.parse(done.stdout) : {}) };
    }

    async stop() {
        if (!this.process?.isRunning) return undefined;
        return this.process.end();
    }
}
