// A bearer token or an API key: asked for, kept in the tab's sessionStorage under
// the document's address, and so given to that API only.

const byId = (id) => document.getElementById(id);


export class Credential {

    #url = null;
    #dialog = byId('credential');
    #header = byId('credential-header');
    #value = byId('credential-value');
    #changed;                   // is called when there is another one, or none

    constructor(changed) {
        this.#changed = changed;
        this.#value.addEventListener('input', () => this.#read());
        byId('credential-form').addEventListener('submit', () => this.#keep(
            { header: this.#header.value, value: this.#value.value.trim() }));
        byId('credential-forget').addEventListener('click', () => {
            this.#dialog.close();
            this.#keep({});
        });
    }


    // Whose it is: the address of a document.

    set url(url) {
        this.#url = url;
        this.#show();
    }


    // The headers that a request has because of it.

    get headers() {
        const { header, value } = this.#kept;

        return !value ? {}
             : header !== 'Authorization' ? { 'X-API-Key': value }
             : { Authorization: /\s/.test(value) ? value : `Bearer ${value}` };
    }


    ask() {
        const { header = 'Authorization', value = '' } = this.#kept;

        this.#header.value = header;
        this.#value.value = value;
        this.#dialog.showModal();
    }


    get #key() {
        return `tasks ${this.#url}`;
    }


    get #kept() {
        return JSON.parse(sessionStorage.getItem(this.#key) ?? '{}');
    }


    #keep(own) {
        if (own.value) {
            sessionStorage.setItem(this.#key, JSON.stringify(own));
        } else {
            sessionStorage.removeItem(this.#key);
        }

        this.#show();
        this.#changed();
    }


    #show() {
        byId('credential-open').textContent =
            this.#kept.value ? 'Credential set' : 'Credential';
    }


    // A whole header that is pasted says itself which it is.

    #read() {
        const [, name, rest] =
            /^\s*'?(authorization|x-api-key)\s*:\s*(.*?)'?\s*$/i
                .exec(this.#value.value) ?? [];

        if (name) {
            this.#header.value = /^a/i.test(name) ? 'Authorization'
                                                  : 'X-API-Key';
            this.#value.value = rest.replace(/^Bearer\s+/i, '');
        }
    }
}
