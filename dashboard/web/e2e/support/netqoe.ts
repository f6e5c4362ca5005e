// A running netqoe, whatever it keeps its rows in.

export interface Netqoe {
  /** Where its page is, and the query API. */
  readonly origin: string;
  /** Where it takes events. */
  readonly ingest: string;

  /** Starts what shows the page where it was stopped: on the same port, log and store. */
  start(): Promise<void>;
  /** Ends that in good order. */
  stop(): Promise<void>;

  /** Puts a line into the log that no ingest takes. What follows the log may have to be stopped. */
  append(line: string): Promise<void>;
  /** Does to the store what no request does. */
  sql(statement: string): void;

  /** Ends all of it, and leaves nothing. */
  remove(): Promise<void>;
}
