// A pause is the VM's: it outlasts a reboot, and the VM is online meanwhile.

import assert from 'node:assert/strict';
import test from 'node:test';

import { eventually } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';

const whyNot = whyNoVms() || whyNoPackages() || whyNoPrograms();

test('a pause outlasts a reboot, with the VM online, and ends where it began', { skip: whyNot }, async (t) => {
    const network = await Network.make(t);
    const plane = await network.controlPlane();
    const vm = await network.boot('web-1');
    const { token } = await plane.enrollmentToken({ name: 'web-1' });
    await vm.write('/etc/synapsex/enrollment-token', `${token}\n`, { mode: '600' });
    await vm.write('/etc/synapsex/agent.toml', `url = "${plane.vmUrl}"\ntoken_file = "/etc/synapsex/enrollment-token"\n`);
    await vm.must(`apt-get install -y ${await vm.copyIn(packageFile('synapsex-agent'))}`);
    const { agentId } = await plane.online('web-1');
    const isPausedThere = async () => (await plane.must('GET', `/v1/agents/${agentId}`)).capabilities.includes(6);
    const pausedHere = async () => JSON.parse(await vm.must('synapsex-agent status --json')).paused;

    await vm.must("synapsex-agent pause --for 2h --reason 'disk swap'");
    assert.equal(await vm.must('stat -c "%a %U" /var/lib/synapsex/agent/pause'), '600 synapsex-agent', 'of the agent, though root made it');
    const before = await pausedHere();
    await vm.reboot();
    await plane.online('web-1');
    assert.deepEqual(await pausedHere(), before);
    await eventually('the control plane knows', isPausedThere, { every: 300, within: 90_000 });
    assert.equal((await vm.run('synapsex-agent test-connection')).code, 0);

    // The agent's user may end it as well as root.
    await vm.must('synapsex-agent resume', { user: 'synapsex-agent' });
    assert.equal(await pausedHere(), null);
    await eventually('and that it is over', async () => !(await isPausedThere()), { every: 300, within: 90_000 });
});
