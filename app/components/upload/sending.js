// Files on their way: one after the other, in pieces that fit the speed of the line, again where the line broke.

const FIRST = 1 << 20, LEAST = 1 << 18, MOST = 1 << 24; // bytes of a piece
const QUICK = 400, SLOW = 1500; // ms of a piece, below which the next is larger and above which it is smaller
const AGAIN = 500, LONGEST = 15e3; // ms until a server that was not reached is asked again, the first time and at most
const AWAY = [502, 503, 504];

/** @typedef {{id: string, name: string, size: number, received: number, whole: boolean}} Arrival what the route answers */
/** @typedef {{file: string, number: number, count: number, done: number, total: number, rate: number|null, left: number|null, away: boolean}} Progress */

export class Refusal extends Error {}

export class Sending {
  /**
   * @param {File[]} files
   * @param {{url: string, token: () => string, changed: (progress: Progress) => void}} options
   */
  constructor(files, { url, token, changed }) {
    this.files = files;
    this.url = url;
    this.token = token;
    this.changed = changed;
    this.abort = new AbortController();
    /** @type {Arrival[]} */
    this.arrivals = [];
    this.piece = FIRST;
    this.ceiling = MOST;
    this.marks = []; // of the last seconds: [moment, bytes sent]
    this.before = 0; // bytes of the files before this one
  }

  /** Sends all of them; resolves with what arrived. Throws a Refusal in words, or an AbortError after `cancel`. */
  async run() {
    for (const [index, file] of this.files.entries()) {
      this.index = index;
      const arrival = await this.#send(file);
      this.before += file.size;
      this.arrivals[index] = arrival;
    }
    return this.arrivals;
  }

  /** Ends it and takes away what arrived; also when the page is left, so the requests outlive it. */
  cancel() {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    for (const arrival of this.arrivals) {
      fetch(`${this.url}/${arrival.id}`, { method: "DELETE", headers: this.#headers(), keepalive: true }).catch(() => {});
    }
  }

  async #send(file) {
    this.#show(file, 0, false);
    const body = JSON.stringify({ name: file.name, size: file.size });
    /** @type {Arrival} */
    let arrival = await this.#ask(file, 0, this.url, { method: "POST", body });
    this.arrivals[this.index] = arrival;
    const address = `${this.url}/${arrival.id}`;
    while (!arrival.whole) {
      const begin = performance.now();
      const offset = arrival.received;
      const piece = file.slice(offset, offset + this.piece);
      try {
        arrival = await this.#ask(file, offset, `${address}?offset=${offset}`, { method: "PUT", body: piece }, address);
      } catch (error) {
        if (!(error instanceof TooLong) || this.piece <= LEAST) throw error;
        this.ceiling = this.piece = Math.max(LEAST, this.piece / 2); // a proxy takes less than we send
        continue;
      }
      const took = performance.now() - begin;
      if (took < QUICK) this.piece = Math.min(this.ceiling, this.piece * 2);
      else if (took > SLOW) this.piece = Math.max(LEAST, this.piece / 2);
      this.#show(file, arrival.received, false);
    }
    return arrival;
  }

  /** One request, again and again where the server is not reached; `where` then tells how far the file is. */
  async #ask(file, done, url, options, where = null) {
    for (let times = 0; ; times += 1) {
      try {
        return await this.#once(times && where ? where : url, times && where ? { method: "GET" } : options);
      } catch (error) {
        if (error.name === "AbortError" || error instanceof Refusal || error instanceof TooLong) throw error;
        this.#show(file, done, true);
        await this.#wait(Math.min(LONGEST, AGAIN * 2 ** times));
      }
    }
  }

  async #once(url, options) {
    const response = await fetch(url, { ...options, headers: this.#headers(), signal: this.abort.signal });
    if (response.ok) return response.json();
    if (AWAY.includes(response.status)) throw new Error("away");
    const told = await response.json().catch(() => null);
    if (!told?.error && response.status === 413) throw new TooLong("This server takes no piece of this size.");
    throw new Refusal(told?.error ?? `The server refused the file (${response.status}).`);
  }

  #headers() {
    return { "x-amad-token": this.token() };
  }

  #wait(ms) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.abort.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new DOMException("Cancelled", "AbortError"));
      }, { once: true });
    });
  }

  #show(file, sent, away) {
    const now = performance.now();
    const done = this.before + sent, total = this.files.reduce((sum, one) => sum + one.size, 0);
    this.marks = [...this.marks.filter(([moment]) => now - moment < 5000), [now, done]];
    const [from, first] = this.marks[0];
    const rate = now - from > 300 ? (1000 * (done - first)) / (now - from) : null;
    const left = rate ? (total - done) / rate : null;
    this.changed({ file: file.name, number: this.index + 1, count: this.files.length, done, total, rate, left, away });
  }
}

class TooLong extends Error {}
