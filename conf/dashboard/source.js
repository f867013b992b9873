// Where the page's data comes from: polls what is subscribed to, and sends what
// is asked for once.  Nothing else makes requests to an API.
//
// A source with server-sent events would have the same subscribe(), and tell
// its listeners of events where this one tells of polls.
//
//   * One request is in flight at a time.
//   * A poll carries If-None-Match; the browser's cache is kept out of it.
//   * A subscription that fails is tried again after longer and longer times.
//   * While the page is hidden, all is asked for seldom.

const LONGEST = 60000;          // ms between two tries
const HIDDEN = 30000;           // ms between two polls of a hidden page
const TIMEOUT = 20000;          // ms for a response


export class Source {

    #interval;                  // ms between two polls
    #subscriptions = new Set();
    #line = Promise.resolve();  // the requests, one after the other
    #timer = null;
    #polling = false;
    #paused = false;

    constructor(interval) {
        this.#interval = interval;

        document.addEventListener('visibilitychange', () => {
            if (!document.hidden) {
                this.refresh();
            }
        });

        window.addEventListener('online', () => this.refresh());
    }


    // request: url, headers, and read(status, text), which returns what the
    // listener gets, with "message" if it is an error.  The listener:
    //
    //   data(result)   a new response
    //   same()         the last one still holds
    //   error({ status, message, failures, next })   next: when it is tried
    //                  again, ms since the epoch; status 0: no response
    //
    // Returns a function that ends the subscription: nothing is told after.

    subscribe(request, listener) {
        const subscription = { request, listener, etag: null, failures: 0,
                               due: 0, abort: null, ended: false };

        this.#subscriptions.add(subscription);
        this.#schedule();

        return () => {
            subscription.ended = true;
            subscription.abort?.abort();
            this.#subscriptions.delete(subscription);
        };
    }


    // Sends a request once, when no other is in flight.  Returns { status,
    // result }, and throws if there is no response.

    send(request) {
        return this.#inLine(() => exchange(request, {}, new AbortController()));
    }


    // Asks for all at once.

    refresh() {
        for (const subscription of this.#subscriptions) {
            subscription.due = 0;
        }

        this.#schedule();
    }


    get paused() {
        return this.#paused;
    }


    set paused(paused) {
        this.#paused = paused;

        if (paused) {
            this.#schedule();
        } else {
            this.refresh();
        }
    }


    #inLine(work) {
        const done = this.#line.then(work);

        this.#line = done.catch(() => {});

        return done;
    }


    #schedule() {
        clearTimeout(this.#timer);

        if (this.#polling || this.#subscriptions.size === 0) {
            return;
        }

        // what was never answered is asked for even in a pause
        const dues = [...this.#subscriptions]
            .filter((s) => !this.#paused || s.due === 0).map((s) => s.due);

        if (dues.length) {
            const wait = Math.min(...dues) - Date.now();

            this.#timer = setTimeout(() => this.#poll(), Math.max(0, wait));
        }
    }


    async #poll() {
        const now = Date.now();

        this.#polling = true;

        for (const subscription of [...this.#subscriptions]) {
            if (subscription.due <= now && !subscription.ended) {
                await this.#inLine(() => this.#ask(subscription));
            }
        }

        this.#polling = false;
        this.#schedule();
    }


    async #ask(subscription) {
        if (subscription.ended) {
            return;
        }

        const headers = subscription.etag
            ? { 'If-None-Match': subscription.etag } : {};
        let answer;

        // refresh() makes it 0 again meanwhile
        subscription.due = Infinity;
        subscription.abort = new AbortController();

        try {
            answer = await exchange(subscription.request, headers,
                                    subscription.abort);
        } catch (error) {
            answer = { status: 0, result: { message: String(error.message) },
                       after: 0 };
        }

        if (!subscription.ended) {
            this.#take(subscription, answer);
        }
    }


    #take(subscription, { status, result, etag, after }) {
        const { listener } = subscription;
        const failed = status !== 304 && result.message !== undefined;

        subscription.failures = failed ? subscription.failures + 1 : 0;

        if (subscription.due !== 0) {
            subscription.due = Date.now() + this.#wait(subscription, after);
        }

        if (status === 304) {
            listener.same();

        } else if (failed) {
            listener.error({ status, message: result.message,
                             failures: subscription.failures,
                             next: subscription.due });

        } else {
            subscription.etag = etag;
            listener.data(result);
        }
    }


    // ms until the next poll; "after" is what the server wants.

    #wait({ failures }, after) {
        const usual = document.hidden ? HIDDEN : this.#interval;

        if (failures === 0) {
            return usual;
        }

        const longer = Math.min(LONGEST, this.#interval * 2 ** failures);

        // not all pages at once
        return Math.max(usual, after, longer * (1 + Math.random() / 4));
    }
}


async function exchange({ method = 'GET', url, headers, read }, more, abort) {
    const timer = setTimeout(() =>
        abort.abort(new Error('The server does not answer')), TIMEOUT);

    try {
        const response = await fetch(url, {
            method,
            headers: { Accept: 'application/json', ...headers, ...more },
            cache: 'no-store', credentials: 'same-origin', redirect: 'error',
            signal: abort.signal,
        });
        const text = await response.text();

        return {
            status: response.status,
            result: response.status === 304 ? null
                                            : read(response.status, text),
            etag: response.headers.get('ETag'),
            after: Number(response.headers.get('Retry-After')) * 1000 || 0,
        };

    } finally {
        clearTimeout(timer);
    }
}
