// synapsexctl with a home of its own.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { program, run, temporaryFolder } from './processes.mjs';

export class Cli {
    constructor(controlPlane, { env = {} } = {}) {
        const home = join(temporaryFolder(), 'home');
        mkdirSync(home, { recursive: true });
        this.home = home;
        this.env = { HOME: home, XDG_CONFIG_HOME: '', SYNAPSEX_URL: controlPlane.url, ...env };
    }

    run(parameters, options = {}) {
        const { env = {}, ...rest } = options;
        return run(program('synapsexctl'), parameters, { env: { ...this.env, ...env }, ...rest });
    }

    // On a terminal: what a person would see, escape sequences included.
    runOnTerminal(parameters, { columns = 200, ...options } = {}) {
        const quoted = [program('synapsexctl'), ...parameters].map((text) => `'${text.replaceAll("'", `'\\''`)}'`);
        return run('script', [
            '--quiet', '--return', '--echo', 'never', '--command', `stty cols ${columns}; exec ${quoted.join(' ')}`, '/dev/null',
        ], { env: { ...this.env, TERM: 'xterm', ...options.env } });
    }

    login({ email, password }) {
        return this.run(['login', '--email', email, '--password-stdin'], { input: `${password}\n` });
    }
}
