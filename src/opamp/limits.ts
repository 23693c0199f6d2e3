/** The named bounds of the client towards the server, each with its unit last and its reason. */

export interface Limits {
  /** The largest message that is sent: header and data, before compression (TR-WS-12, TR-HTTP-21). */
  readonly sendBytesMax: number;
  /** The largest message that is received, after decompression (TR-WS-09, TR-HTTP-16). */
  readonly receiveBytesMax: number;
}

const MEBIBYTE = 1024 * 1024;
export const DEFAULT_LIMITS: Limits = { sendBytesMax: 64 * MEBIBYTE, receiveBytesMax: 64 * MEBIBYTE };

/** Poll interval of plain HTTP, and the heartbeat where none is configured (TR-HTTP-05, HB-02). */
export const HEARTBEAT_MS = 30_000;

/** From the first packet to the end of the WebSocket handshake, proxy and TLS included. */
export const CONNECT_MS_MAX = 45_000;
/** What each address of a name gets before the next one is tried; Node's own 250 ms cut off slow links. */
export const ADDRESS_MS_MAX = 10_000;

/** A WebSocket ping leaves this often ... */
export const PING_MS = 30_000;
/** ... and after so many intervals without a byte from the server the connection counts as dead. */
export const PINGS_MISSED_MAX = 2;
/** A status that is not answered in this time is asked after; after so many times the connection counts as dead. */
export const REPLY_MS_MAX = 60_000;
export const REPLIES_MISSED_MAX = 2;
/** A link may be as slow as this (128 kbit/s) before a large message counts as stuck. */
export const SLOW_LINK_BYTES_PER_MS = 16;
/** One exchange over plain HTTP, however slowly it trickles. */
export const EXCHANGE_MS_MAX = 600_000;

/** How long a Close frame waits for its echo: at shutdown, and when the server is to be left alone. */
export const CLOSE_MS_MAX = 5_000;
export const LEAVE_MS_MAX = 2_000;

/** Malformed messages in a row until the connection is given up (AMB-01). */
export const MALFORMED_MAX = 3;
/** Redirects that are followed for one request (AMB-08). */
export const REDIRECTS_MAX = 5;

/** The longest delay that a server may ask for (AMB-37). */
export const RETRY_AFTER_MS_MAX = 3_600_000;
/** The least delay after "too busy" or "not you" without a delay of its own (TH-08, AMB-10). */
export const UNWELCOME_MS_MIN = 30_000;
/** The first pause between attempts; it doubles ... */
export const BACKOFF_MS = 1_000;
/** ... up to this cap. */
export const BACKOFF_MS_MAX = 300_000;
/** A connection that answered and lived for this long is worth an immediate reconnect. */
export const USEFUL_MS_MIN = 10_000;

/** Full reports that a server can ask for at once, and how often after that (AMB-19). */
export const FULL_REPORT_BURST = 3;
export const FULL_REPORT_MS = 1_000;

/** Messages that leave at once, and how often after that: a server that answers each with a new order must not make a loop at wire speed. */
export const TELL_BURST = 100;
export const TELL_MS = 200;
