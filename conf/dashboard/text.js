// How values, names and times are said, and elements that say them.  Text of an
// API reaches the page as text only, here and everywhere.

export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith('on')) {
            made.addEventListener(key.slice(2), value);
        } else if (value === true) {
            made.setAttribute(key, '');
        } else if (value !== false && value != null) {
            made.setAttribute(key, value);
        }
    }

    made.append(...children.filter((child) => child != null));

    return made;
}


// "created_at", "createdAt" => "Created at"

export function title(name) {
    const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
                      .replace(/[_\-.\s]+/g, ' ').trim().toLowerCase()
                      .replace(/\b(?:id|url|api|cpu|gpu|ip)\b/g,
                               (word) => word.toUpperCase());

    return words.charAt(0).toUpperCase() + words.slice(1);
}


// Of a field with a time: "Created"

export function timeTitle(name) {
    return title(name).replace(/ (?:at|time|date)$/, '');
}


// States

const TONES = {
    good: 'complete completed done success succeeded successful finished ok '
          + 'passed ready available',
    bad: 'fail failed failure error errored crashed dead lost rejected timeout '
         + 'timedout invalid unhealthy',
    off: 'canceled cancelled aborted stopped skipped expired revoked killed '
         + 'disabled terminated deleted',
    busy: 'running processing inprogress active started starting working '
          + 'executing downloading uploading canceling cancelling stopping',
    waiting: 'pending queued waiting scheduled created new submitted accepted '
             + 'provisioning paused suspended suspending retrying delayed '
             + 'blocked onhold idle',
};

const TONE_OF = new Map(Object.entries(TONES).flatMap(([tone, words]) =>
                            words.split(' ').map((word) => [word, tone])));

export function tone(state) {
    const word = String(state).toLowerCase().replace(/[\s_-]+/g, '');

    return TONE_OF.get(word) ?? 'plain';
}


export function badge(state) {
    return element('span', { class: `badge ${tone(state)}` }, String(state));
}


// Times.  One without a zone is UTC, as the module's own are.

export function timeOf(text) {
    const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`;
    const time = new Date(zoned);

    return Number.isNaN(time.getTime()) ? null : time;
}


const two = (number) => String(number).padStart(2, '0');

export function absolute(time) {
    return `${time.getFullYear()}-${two(time.getMonth() + 1)}-`
           + `${two(time.getDate())} ${two(time.getHours())}:`
           + `${two(time.getMinutes())}:${two(time.getSeconds())}`;
}


const UNITS = [['year', 31557600], ['month', 2629800], ['day', 86400],
               ['hour', 3600], ['minute', 60], ['second', 1]];
const RELATIVE = new Intl.RelativeTimeFormat('en', { style: 'short',
                                                     numeric: 'always' });

export function relative(time) {
    const seconds = (time - Date.now()) / 1000;
    const size = Math.abs(seconds);
    const [unit, length] = UNITS.find(([, l]) => size >= l) ?? UNITS.at(-1);

    return size < 1 ? 'just now'
                    : RELATIVE.format(Math.trunc(seconds / length), unit)
                              .replaceAll('.', '');
}


const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function timeElement(text, isLong) {
    const time = timeOf(text);

    if (!time) {
        return document.createTextNode(text);
    }

    const made = element('time', { datetime: time.toISOString(),
                                   title: `${absolute(time)} ${ZONE}` });

    if (isLong) {
        made.append(absolute(time), ' ',
                    element('span', { class: 'ago' }, relative(time)));
    } else {
        made.classList.add('ago');
        made.append(relative(time));
    }

    return made;
}


// Relative times move by themselves.

export function moveTimes() {
    for (const ago of document.querySelectorAll('.ago')) {
        const time = ago.closest('time');
        const text = relative(new Date(time.dateTime));

        if (ago.textContent !== text) {
            ago.textContent = text;
        }
    }
}


// Seconds from now, as words for a status line.

export function inSeconds(time) {
    return `in ${Math.max(0, Math.ceil((time - Date.now()) / 1000))} s`;
}


// JSON for reading, its parts in elements with a class each.

const TOKENS = new RegExp('("(?:[^"\\\\]|\\\\.)*")(\\s*:)?'
                          + '|\\b(?:true|false|null)\\b|-?\\d[\\d.eE+-]*', 'g');

export function jsonElement(value) {
    const text = JSON.stringify(value, bigger, 2);
    const made = element('pre', { tabindex: 0 });
    let at = 0;

    for (const token of text.length < 100000 ? text.matchAll(TOKENS) : []) {
        const kind = token[2] ? 'key' : token[1] ? 'string' : 'literal';
        const part = token[1] ?? token[0];

        made.append(text.slice(at, token.index),
                    element('span', { class: kind }, part));
        at = token.index + part.length;
    }

    made.append(text.slice(at));

    return made;
}


function bigger(key, value) {
    return typeof value === 'bigint'
        ? JSON.rawJSON?.(String(value)) ?? String(value) : value;
}


// An id.  Of a long one the middle is hidden, but there to be copied and read.

export function idElements(id) {
    return id.length <= 20 ? [id]
        : [element('span', { class: 'head' }, id.slice(0, -6)), id.slice(-6)];
}


// A count with its noun, "1 task", "20 tasks".

export function count(number, noun) {
    return `${Number(number).toLocaleString('en')} ${noun}`
           + (Number(number) === 1 ? '' : 's');
}
