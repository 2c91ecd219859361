// Manages enrolments by azure-iot-provisioning-service; prints what worked as JSON.
//
//   node dps-service.js '{"service": FILE, "prefix": "node-", "cert": FILE, "ca": FILE,
//                         "registered": REGISTRATION_ID}'
'use strict';
const fs = require('fs');
const { ProvisioningServiceClient } = require('azure-iot-provisioning-service');

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

// The client forgets the continuation, or to answer, when it is asked for a promise.
function called(action) {
  return new Promise((resolve, reject) =>
    action((error, result) => (error ? reject(error) : resolve(result))));
}

// The ids on all pages of a query.
async function pages(query) {
  const ids = [];
  let count = 0;
  do {
    const page = await called((done) => query.next(done));
    const items = page.items || page;
    ids.push(...items.map((item) => item.registrationId || item.enrollmentGroupId));
    count += 1;
  } while (query.hasMoreResults && count < 100);
  return { ids, count };
}

async function conversation(wanted) {
  const service = ProvisioningServiceClient.fromConnectionString(
    fs.readFileSync(wanted.service, 'utf8').trim());
  const bulkOperation = (operation) =>
    called((finished) => service.runBulkEnrollmentOperation(operation, finished));
  const pem = fs.readFileSync(wanted.cert, 'utf8');
  const x509 = (certificate) => ({
    type: 'x509', x509: { clientCertificates: { primary: { certificate } } },
  });
  const ids = [0, 1, 2].map((n) => `${wanted.prefix}${n}`);
  const forms = [
    pem,
    Buffer.from(pem).toString('base64'),
    pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''),
  ];
  const thumbprints = new Set();
  for (const [n, id] of ids.entries()) {
    const made = (await service.createOrUpdateIndividualEnrollment({
      registrationId: id, deviceId: `${id}-device`, attestation: x509(forms[n]),
      provisioningStatus: 'enabled',
      initialTwin: { tags: { room: 'lab' }, properties: { desired: { interval: 3 } } },
    })).responseBody;
    const shown = made.attestation.x509.clientCertificates.primary;
    thumbprints.add(shown.info.sha256Thumbprint);
    done.certificate_is_replaced_by_info = !shown.certificate;
  }
  done.three_certificate_encodings = thumbprints.size === 1;
  const first = (await service.getIndividualEnrollment(ids[0])).responseBody;
  done.get = first.deviceId === `${ids[0]}-device` && Boolean(first.etag && first.createdDateTimeUtc);
  done.create_over_existing = await nameOfError(service.createOrUpdateIndividualEnrollment({
    registrationId: ids[0], attestation: x509(pem) }));
  const changed = (await service.createOrUpdateIndividualEnrollment(
    { ...first, attestation: x509(pem), provisioningStatus: 'disabled' })).responseBody;
  done.update_with_etag = changed.provisioningStatus === 'disabled' && changed.etag !== first.etag;
  done.stale_etag = await nameOfError(
    service.createOrUpdateIndividualEnrollment({ ...first, attestation: x509(pem) }));
  const found = await pages(service.createIndividualEnrollmentQuery({ query: 'SELECT * FROM enrollments' }, 2));
  done.query_pages = found.count > 1 && ids.every((id) => found.ids.includes(id));
  const bulk = await bulkOperation({
    mode: 'create',
    enrollments: [3, 4].map((n) => ({ registrationId: `${wanted.prefix}${n}`, attestation: x509(pem) })),
  });
  done.bulk_create = bulk.isSuccessful;
  const again = await bulkOperation({
    mode: 'create', enrollments: [{ registrationId: `${wanted.prefix}3`, attestation: x509(pem) }],
  });
  done.bulk_create_over_existing_fails = again.isSuccessful === false && again.errors.length === 1;
  const removed = await bulkOperation({
    mode: 'delete', enrollments: [3, 4].map((n) => ({ registrationId: `${wanted.prefix}${n}`, attestation: x509(pem) })),
  });
  done.bulk_delete = removed.isSuccessful;
  const keys = (await service.createOrUpdateIndividualEnrollment({
    registrationId: `${wanted.prefix}key`, attestation: { type: 'symmetricKey' },
  })).responseBody;
  const mechanism = (await service.getIndividualEnrollmentAttestationMechanism(keys.registrationId)).responseBody;
  done.attestation_mechanism = Buffer.from(mechanism.symmetricKey.primaryKey, 'base64').length >= 16;
  const group = (await service.createOrUpdateEnrollmentGroup({
    enrollmentGroupId: `${wanted.prefix}group`,
    attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: fs.readFileSync(wanted.ca, 'utf8') } } } },
  })).responseBody;
  done.group_create = Boolean(group.etag);
  const groups = await pages(service.createEnrollmentGroupQuery({ query: 'SELECT * FROM enrollmentGroups' }, 10));
  done.group_query = groups.ids.includes(`${wanted.prefix}group`);
  await service.deleteEnrollmentGroup(group.enrollmentGroupId, group.etag);
  done.group_delete = await nameOfError(service.getEnrollmentGroup(group.enrollmentGroupId));
  const state = (await service.getDeviceRegistrationState(wanted.registered)).responseBody;
  done.registration_state = state.status === 'assigned' && Boolean(state.assignedHub && state.etag);
  await service.deleteIndividualEnrollment(ids[0]);
  await service.deleteIndividualEnrollment(ids[1]);
  done.delete = await nameOfError(service.getIndividualEnrollment(ids[0]));
}

conversation(JSON.parse(process.argv[2])).then(() => report(), report);
