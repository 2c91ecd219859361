// Manages devices by azure-iothub's registry; prints what worked as JSON.
//
//   node registry.js '{"registry": FILE, "prefix": "node-", "known": DEVICE_ID}'
'use strict';
const fs = require('fs');
const { Registry } = require('azure-iothub');

const done = {};

// A client that never calls back ends the program without a word.
process.on('beforeExit', () => report(new Error('the client never called back')));

function report(error) {
  const failed = error ? { error: error.name, message: String(error.message) } : {};
  process.stdout.write(JSON.stringify({ ok: !error, done, ...failed }) + '\n', () => process.exit(0));
}

async function nameOfError(promise) {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

async function conversation(wanted) {
  const registry = Registry.fromConnectionString(fs.readFileSync(wanted.registry, 'utf8').trim());
  const known = (await registry.get(wanted.known)).responseBody;
  done.thumbprint = known.authentication.type === 'selfSigned'
    && known.authentication.x509Thumbprint.primaryThumbprint.length >= 40;
  done.list = (await registry.list()).responseBody.some((device) => device.deviceId === wanted.known);
  const id = `${wanted.prefix}made`;
  const made = (await registry.create({ deviceId: id, status: 'enabled' })).responseBody;
  done.create = made.deviceId === id && Boolean(made.authentication.symmetricKey.primaryKey);
  done.create_over_existing = await nameOfError(registry.create({ deviceId: id }));
  const changed = (await registry.update({ ...made, status: 'disabled' })).responseBody;
  done.update = changed.status === 'disabled';
  const twin = (await registry.updateTwin(id, { tags: { room: 'lab' } }, '*')).responseBody;
  done.tags = twin.tags.room === 'lab';
  const one = `SELECT * FROM devices WHERE deviceId = '${id}'`;
  for (const words of [one, `${one} AND tags.room = 'lab' AND NOT status = 'enabled'`]) {
    const found = (await registry.createQuery(words, 10).nextAsTwin()).result;
    done.query = done.query !== false && found.length === 1 && found[0].deviceId === id
      && !Number.isNaN(Date.parse(found[0].properties.desired.$metadata.$lastUpdated));
  }
  await registry.delete(id);
  done.delete = await nameOfError(registry.get(id));
}

conversation(JSON.parse(process.argv[2])).then(() => report(), report);
