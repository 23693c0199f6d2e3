/** Which keys hold secrets, by their names. `token` does, `token_url`, `token_file` and `max_tokens` do not. */
export function isSecretKey(key: string): boolean {
  const name = normal(key);
  return SECRET_END.test(name) && !COUNT.test(name);
}

/** Keys whose whole content is secret, such as HTTP headers: their names are shown, their values are not. */
export function holdsSecrets(key: string): boolean {
  const name = normal(key);
  return HOLDER_END.test(name) && !LIST_OF_NAMES.test(name);
}

const SECRET_END = new RegExp(
  "(?:^|_)(?:" +
    [
      "password|passwd|passphrase|pwd",
      "tokens?|secrets?|credentials?|cookie|authorization|bearer|jwt",
      "api_?keys?|app_?key|application_key|access_?key|secret_?key|private_?key|account_?key|shared_?key|signing_?key|encryption_?key",
      "license_?key|licence_?key|ingest_?key|ingestion_?key|instrumentation_?key|write_?key|auth_?key|master_?key|access_key_id",
      "key_pem|key_data|pem_key|owner_auth|connection_string|sas|sasl_jaas_config|dsn|community|psk",
    ].join("|") +
    ")$",
);
const COUNT = /^(?:max|min|num|n|count)_/;
const HOLDER_END = /(?:^|_)(?:headers|credentials|metadata_headers)$/;
const LIST_OF_NAMES = /(?:^|_)(?:allowed|exposed|include|included|exclude|excluded|capture|captured)_/;

/** `apiKey`, `X-Api-Key` and `api_key` are one name. */
function normal(key: string): string {
  return key
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[-. ]/g, "_")
    .toLowerCase();
}
