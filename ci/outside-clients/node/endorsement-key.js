// Prints the endorsement key of the TPM as DPS wants it enrolled: TPM2B_PUBLIC in base64.
'use strict';
const { TpmSecurityClient } = require('azure-iot-security-tpm');

new TpmSecurityClient('any').getEndorsementKey((error, key) => {
  if (error) throw error;
  process.stdout.write(key.toString('base64') + '\n', () => process.exit(0));
});
