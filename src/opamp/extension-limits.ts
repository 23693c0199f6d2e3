/** The named bounds of the local server for the Collector's extension, each with its unit last and its reason. */

/** One message: the effective configuration of a megabyte of filters is 4.3 MB, its health tree 400 KB. */
export const LOCAL_MESSAGE_BYTES_MAX = 128 * 1024 * 1024;
/** From the connect to the accepted secret. The extension sends it at once, over loopback. */
export const HANDSHAKE_MS_MAX = 5_000;
/** Sockets that have not shown the secret yet; one more drops the oldest, so that a crowd cannot keep the Collector out. */
export const STRANGERS_MAX = 64;
/** Request line and headers of the handshake. */
export const HANDSHAKE_BYTES_MAX = 16 * 1024;
/** Messages in a row that are none until the link is closed; the extension then makes a new one. */
export const LOCAL_MALFORMED_MAX = 3;
/** Full reports that are asked for at once after lost messages, and how often after that. */
export const FULL_STATE_BURST = 2;
export const FULL_STATE_MS = 5_000;
/** Refused strangers are logged this often at most. */
export const REFUSAL_LOG_MS = 60_000;
