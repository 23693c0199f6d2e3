/**
 * What changes with every start of the Collector stays out of its configuration: the composed text refers to these
 * variables, and the environment of the run and of `validate` sets them. So the same bytes are validated, run and kept.
 */

/** The port on 127.0.0.1 that the supervisor listens on for the Collector's opamp extension. */
export const EXTENSION_PORT_VARIABLE = "OPAMPSUPERVISOR_EXTENSION_PORT";

/** The secret of one start; the extension sends it in its Authorization header. */
export const EXTENSION_SECRET_VARIABLE = "OPAMPSUPERVISOR_EXTENSION_SECRET";

/** The process id of the supervisor, which the extension watches. */
export const PARENT_PID_VARIABLE = "OPAMPSUPERVISOR_PARENT_PID";

/** The word in front of the secret in the Authorization header. */
export const EXTENSION_AUTHORIZATION_SCHEME = "Bearer";

/** The path of the local OpAMP endpoint. */
export const EXTENSION_PATH = "/v1/opamp";
